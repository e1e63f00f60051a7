#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `length` bytes, continuing from `crc` (0 for a new one). Conditioning is done inside, so
/// that kernels_crc32c(kernels_crc32c(0, a), b) is the CRC of a followed by b.
uint32_t kernels_crc32c(uint32_t crc, const void *bytes, size_t length);

/// rename(2) that fails with EEXIST instead of replacing (renameat2 with RENAME_NOREPLACE); -1 and errno on failure.
int kernels_rename_unless_taken(const char *old_path, const char *new_path);

/// syncfs(2): everything of the descriptor's file system is durable afterwards; -1 and errno on failure, also when
/// anything could not be written since the descriptor was opened.
int kernels_sync_file_system(int descriptor);

/// Whether kernels_sync_file_system keeps its promise: the kernel reports failures, and the file system is known to.
int kernels_can_sync_file_system(int descriptor);

/// Has the kernel begin to write the file's dirty pages, and waits for nothing. Never fails.
void kernels_start_writing(int descriptor);
