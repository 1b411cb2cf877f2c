/* Stands between a server and the C library (LD_PRELOAD) and lets a disk fail, or a clock jump, when a test says so.
 *
 *   FAULTSHIM_FOLDER  the folder whose files fail
 *   FAULTSHIM_ORDERS  a file of four signed 64-bit numbers, which the test writes while the server runs:
 *                     seconds by which the clock of the day is off, and the error (0: none) of every
 *                     write, read and opening for writing
 *
 * What fails is not done.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum order { SECONDS, WRITE, READ, OPEN_TO_WRITE, ORDERS };

static int64_t ordered(enum order order) {
    static volatile int64_t *orders;
    if (!orders) {
        int fd = REAL(open)(getenv("FAULTSHIM_ORDERS"), O_RDONLY | O_CLOEXEC);
        void *mapped = mmap(NULL, ORDERS * sizeof *orders, PROT_READ, MAP_SHARED, fd, 0);
        if (fd < 0 || mapped == MAP_FAILED)
            abort();
        close(fd);
        orders = mapped;
    }
    return orders[order];
}

static int inside(const char *path) {
    const char *folder = getenv("FAULTSHIM_FOLDER");
    return !strncmp(path, folder, strlen(folder));
}

/* Whether this is to fail; errno says how. */
static int fails(int fd, enum order order) {
    char link[64], path[PATH_MAX] = "";
    if (!ordered(order))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || !inside(path))
        return 0;
    errno = (int)ordered(order);
    return 1;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return fails(fd, WRITE) ? -1 : REAL(pwrite)(fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return fails(fd, WRITE) ? -1 : REAL(pwrite64)(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
    return fails(fd, WRITE) ? -1 : REAL(write)(fd, data, length);
}

int ftruncate(int fd, off_t size) { return fails(fd, WRITE) ? -1 : REAL(ftruncate)(fd, size); }

int ftruncate64(int fd, off64_t size) { return fails(fd, WRITE) ? -1 : REAL(ftruncate64)(fd, size); }

ssize_t pread(int fd, void *data, size_t length, off_t offset) {
    return fails(fd, READ) ? -1 : REAL(pread)(fd, data, length, offset);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset) {
    return fails(fd, READ) ? -1 : REAL(pread64)(fd, data, length, offset);
}

static int not_opened(const char *path, int flags) {
    if (!(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) || !inside(path) || !ordered(OPEN_TO_WRITE))
        return 0;
    errno = (int)ordered(OPEN_TO_WRITE);
    return 1;
}

#define OPEN(name)                                               \
    int name(const char *path, int flags, ...) {                 \
        va_list more;                                            \
        va_start(more, flags);                                   \
        int mode = flags & O_CREAT ? va_arg(more, int) : 0;      \
        va_end(more);                                            \
        return not_opened(path, flags) ? -1 : REAL(name)(path, flags, mode); \
    }

OPEN(open)
OPEN(open64)

int access(const char *path, int mode) {
    return not_opened(path, mode & W_OK ? O_WRONLY : 0) ? -1 : REAL(access)(path, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += ordered(SECONDS);
    return result;
}
