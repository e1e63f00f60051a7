#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `length` bytes, continuing from `crc` (0 for a new one). Conditioning is done inside, so
/// that kernels_crc32c(kernels_crc32c(0, a), b) is the CRC of a followed by b.
uint32_t kernels_crc32c(uint32_t crc, const void *bytes, size_t length);
