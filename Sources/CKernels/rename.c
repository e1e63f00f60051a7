// Swift's Glibc module does not offer renameat2.
#define _GNU_SOURCE
#include "kernels.h"

#include <fcntl.h>
#include <stdio.h>

int kernels_rename_unless_taken(const char *old_path, const char *new_path) {
    return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, RENAME_NOREPLACE);
}
