/*
 * Preloaded into a process (LD_PRELOAD), this logs what the process does to some files, in order: to those whose path
 * begins with $RECORD_PREFIX, and to their folder. What write-log.ts reads. Linux with glibc only.
 *
 * A record: u8 what, u8 file, u16 0, u32 length, u64 offset, `length` bytes; numbers as the machine has them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { NAME = 1, WRITE, TRUNCATE, SYNC, UNLINK };

#define MAX_DESCRIPTORS 4096
#define MAX_FILES 64

static const char *prefix;
static int log_descriptor = -1;
static char *paths[MAX_FILES];
static int path_count;
/* The number of the file that a descriptor is of, from 1 on; 0: none of ours. */
static unsigned char file_of[MAX_DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void start(void) {
  const char *log = getenv("RECORD_LOG");
  prefix = getenv("RECORD_PREFIX");
  if (prefix && log) log_descriptor = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  /* Not for processes that this one starts. */
  unsetenv("LD_PRELOAD");
}

/* Past our own functions. A log that lacks something would be worse than none. */
static void put_bytes(const void *bytes, size_t length) {
  if (syscall(SYS_write, log_descriptor, bytes, length) != (ssize_t)length) abort();
}

static void put(int what, int file, uint64_t offset, const void *bytes, uint32_t length) {
  unsigned char header[16] = {what, file};
  memcpy(header + 4, &length, sizeof length);
  memcpy(header + 8, &offset, sizeof offset);
  put_bytes(header, sizeof header);
  if (length) put_bytes(bytes, length);
}

static int is_ours(const char *path) {
  if (log_descriptor < 0 || !path) return 0;
  size_t length = strlen(path);
  int is_folder = strncmp(path, prefix, length) == 0 && prefix[length] == '/';
  return is_folder || strncmp(path, prefix, strlen(prefix)) == 0;
}

/* With the lock held. */
static int number_of(const char *path) {
  if (!is_ours(path)) return 0;
  for (int i = 0; i < path_count; i++) if (strcmp(paths[i], path) == 0) return i + 1;
  if (path_count == MAX_FILES) abort();
  paths[path_count++] = strdup(path);
  put(NAME, path_count, 0, path, strlen(path));
  return path_count;
}

static int file_at(int descriptor) {
  return descriptor >= 0 && descriptor < MAX_DESCRIPTORS ? file_of[descriptor] : 0;
}

static int opened(int descriptor, const char *path) {
  if (descriptor < 0) return descriptor;
  pthread_mutex_lock(&lock);
  int file = number_of(path);
  if (descriptor < MAX_DESCRIPTORS) file_of[descriptor] = file;
  else if (file) abort();
  pthread_mutex_unlock(&lock);
  return descriptor;
}

static void did(int what, int descriptor, uint64_t offset, const void *bytes, size_t length) {
  int file = file_at(descriptor);
  if (!file) return;
  pthread_mutex_lock(&lock);
  put(what, file, offset, bytes, length);
  pthread_mutex_unlock(&lock);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = dlsym(RTLD_NEXT, #name)

#define MODE \
  mode_t mode = 0; \
  if (flags & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE REAL(open); return opened(real(path, flags, mode), path); }
int open64(const char *path, int flags, ...) { MODE REAL(open64); return opened(real(path, flags, mode), path); }

int close(int descriptor) {
  REAL(close);
  if (file_at(descriptor)) file_of[descriptor] = 0;
  return real(descriptor);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
  REAL(pwrite);
  ssize_t written = real(descriptor, bytes, length, at);
  if (written > 0) did(WRITE, descriptor, at, bytes, written);
  return written;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
  REAL(pwrite64);
  ssize_t written = real(descriptor, bytes, length, at);
  if (written > 0) did(WRITE, descriptor, at, bytes, written);
  return written;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  REAL(write);
  off_t at = file_at(descriptor) ? lseek(descriptor, 0, SEEK_CUR) : 0;
  ssize_t written = real(descriptor, bytes, length);
  if (written > 0) did(WRITE, descriptor, at, bytes, written);
  return written;
}

int ftruncate(int descriptor, off_t size) {
  REAL(ftruncate);
  int result = real(descriptor, size);
  if (result == 0) did(TRUNCATE, descriptor, size, 0, 0);
  return result;
}

int ftruncate64(int descriptor, off64_t size) {
  REAL(ftruncate64);
  int result = real(descriptor, size);
  if (result == 0) did(TRUNCATE, descriptor, size, 0, 0);
  return result;
}

int fsync(int descriptor) {
  REAL(fsync);
  int result = real(descriptor);
  if (result == 0) did(SYNC, descriptor, 0, 0, 0);
  return result;
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  int result = real(descriptor);
  if (result == 0) did(SYNC, descriptor, 0, 0, 0);
  return result;
}

int unlink(const char *path) {
  REAL(unlink);
  int result = real(path);
  if (result) return result;
  pthread_mutex_lock(&lock);
  int file = number_of(path);
  if (file) put(UNLINK, file, 0, 0, 0);
  pthread_mutex_unlock(&lock);
  return result;
}
