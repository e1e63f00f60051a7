// Swift's Glibc module offers neither syncfs nor sync_file_range.
#define _GNU_SOURCE
#include "kernels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

int kernels_sync_file_system(int descriptor) { return syncfs(descriptor); }

void kernels_start_writing(int descriptor) {
    int saved = errno;
    (void)sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    errno = saved;
}

// Before Linux 5.8, syncfs did not tell what could not be written.
static int kernel_reports(void) {
    struct utsname name;
    if (uname(&name) != 0) return 0;
    char *rest = NULL;
    long major = strtol(name.release, &rest, 10);
    long minor = rest != NULL && *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
    return major > 5 || (major == 5 && minor >= 8);
}

int kernels_can_sync_file_system(int descriptor) {
    struct statfs status;
    if (!kernel_reports() || fstatfs(descriptor, &status) != 0) return 0;
    // FUSE passes syncfs on to nobody, overlays and network file systems differ by version: only those that keep the
    // files themselves.
    switch ((unsigned long)status.f_type) {
    case 0xEF53ul:      // ext4
    case 0x58465342ul:  // XFS
    case 0x9123683Eul:  // Btrfs
    case 0xF2F52010ul:  // F2FS
    case 0x01021994ul:  // tmpfs
        return 1;
    default:
        return 0;
    }
}
