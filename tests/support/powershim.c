/* Stands between a server and the C library (LD_PRELOAD) and writes down, with every byte and in the order in which it
 * happens, what the server does to the files under a folder and what it sends, so that the files can be made again as a
 * power cut at any moment could have left them (support/power_cut.py reads the records).
 *
 *   POWERSHIM_LOG     the file to write to
 *   POWERSHIM_FOLDER  the folder; a file whose name ends with -shm or .lock is left out: it means nothing after a cut
 *
 * What is done to a file is written down once it is done, what leaves by a socket before it begins; a sync is written
 * down twice. So the order is never kinder than what happened. Each record is one write to a file opened with O_APPEND.
 * fallocate, copies inside the kernel and writes through a memory map are not seen: whoever reads the records compares
 * what they come to with the files as they are in the end.
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PARTS 64

enum kind { WRITE = 1, CUT, SYNC_BEGUN, SYNCED, CREATE, LINK, RENAME, UNLINK, FOLDER, NO_FOLDER, FOLDER_SYNC_BEGUN,
            FOLDER_SYNCED, SEND };

/* `file` is an inode number, or for SEND the process and the descriptor; `place` an offset or a size. */
struct record {
    uint32_t kind, length;
    uint64_t file, place;
};

static void put(enum kind kind, uint64_t file, uint64_t place, const struct iovec *parts, int count) {
    static int fd = -1;
    int before = errno;
    struct record head = {kind, 0, file, place};
    struct iovec all[PARTS + 1] = {{&head, sizeof head}};
    if (fd < 0)
        fd = open(getenv("POWERSHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (count > PARTS)
        abort();
    for (int part = 0; part < count; part++) {
        all[part + 1] = parts[part];
        head.length += (uint32_t)parts[part].iov_len;
    }
    if (syscall(SYS_writev, fd, all, count + 1) != (ssize_t)(sizeof head + head.length))
        abort(); /* a record that is missing would make files that never were */
    errno = before;
}

static void put_bytes(enum kind kind, uint64_t file, uint64_t place, const void *data, size_t length) {
    struct iovec part = {(void *)data, length};
    put(kind, file, place, &part, 1);
}

static int ends(const char *path, const char *end) {
    size_t length = strlen(path), wanted = strlen(end);
    return length >= wanted && !strcmp(path + length - wanted, end);
}

static int counts(const char *path) {
    const char *folder = getenv("POWERSHIM_FOLDER");
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (!path[length] || path[length] == '/') && !ends(path, "-shm") &&
           !ends(path, ".lock");
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (ends(path, " (deleted)"))
        path[length - 10] = 0;
    return 1;
}

/* The absolute path of one that is given beside a folder's descriptor; whether it counts. */
static int absolute(int at, const char *path, char *whole) {
    char folder[PATH_MAX];
    int before = errno;
    if (path[0] == '/')
        snprintf(whole, PATH_MAX, "%s", path);
    else if (at == AT_FDCWD ? getcwd(folder, sizeof folder) != NULL : path_of(at, folder))
        snprintf(whole, PATH_MAX, "%.2000s/%.2000s", folder, path);
    else
        whole[0] = 0;
    errno = before;
    return counts(whole);
}

/* The inode of a regular file that counts, or 0. */
static uint64_t file_of(int fd) {
    struct stat found;
    char path[PATH_MAX];
    int before = errno;
    uint64_t file = !fstat(fd, &found) && S_ISREG(found.st_mode) && path_of(fd, path) && counts(path) ? found.st_ino : 0;
    errno = before;
    return file;
}

static void wrote(int fd, const void *data, ssize_t length, off_t offset) {
    uint64_t file = length > 0 ? file_of(fd) : 0;
    if (file)
        put_bytes(WRITE, file, (uint64_t)offset, data, (size_t)length);
}

static void sends(int fd, const struct iovec *parts, size_t count) {
    struct stat found;
    int before = errno;
    if (!fstat(fd, &found) && S_ISSOCK(found.st_mode))
        put(SEND, (uint64_t)getpid() << 32 | (uint32_t)fd, 0, parts, (int)count);
    errno = before;
}

/* --- what is in a file --- */

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    ssize_t done = REAL(pwrite)(fd, data, length, offset);
    wrote(fd, data, done, offset);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    ssize_t done = REAL(pwrite64)(fd, data, length, offset);
    wrote(fd, data, done, offset);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec part = {(void *)data, length};
    sends(fd, &part, 1);
    ssize_t done = REAL(write)(fd, data, length);
    if (done > 0 && file_of(fd))
        wrote(fd, data, done, lseek(fd, 0, SEEK_CUR) - done);
    return done;
}

static int cut(int fd, off64_t size, int result) {
    uint64_t file = result ? 0 : file_of(fd);
    if (file)
        put(CUT, file, (uint64_t)size, NULL, 0);
    return result;
}

int ftruncate(int fd, off_t size) { return cut(fd, size, REAL(ftruncate)(fd, size)); }

int ftruncate64(int fd, off64_t size) { return cut(fd, size, REAL(ftruncate64)(fd, size)); }

static int synced(int fd, int (*really)(int)) {
    struct stat found;
    char path[PATH_MAX];
    if (fstat(fd, &found) || !path_of(fd, path) || !counts(path))
        return really(fd);
    int folder = S_ISDIR(found.st_mode);
    put_bytes(folder ? FOLDER_SYNC_BEGUN : SYNC_BEGUN, found.st_ino, 0, path, strlen(path));
    int result = really(fd);
    if (!result)
        put_bytes(folder ? FOLDER_SYNCED : SYNCED, found.st_ino, 0, path, strlen(path));
    return result;
}

int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int fsync(int fd) { return synced(fd, REAL(fsync)); }

/* --- what a folder names --- */

static int opened(int at, const char *path, int flags, int mode, int (*really)(int, const char *, int, ...)) {
    char whole[PATH_MAX];
    struct stat found;
    int counted = (flags & (O_CREAT | O_TRUNC)) && absolute(at, path, whole);
    int made = counted && stat(whole, &found);
    int fd = really(at, path, flags, mode);
    if (fd >= 0 && counted && !fstat(fd, &found)) {
        if (made)
            put_bytes(CREATE, found.st_ino, 0, whole, strlen(whole));
        else if (flags & O_TRUNC)
            put(CUT, found.st_ino, 0, NULL, 0);
    }
    return fd;
}

static int mode_of(int flags, va_list more) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, int) : 0; }

#define OPEN(name, given, at, really)                          \
    int name given {                                           \
        va_list more;                                          \
        va_start(more, flags);                                 \
        int mode = mode_of(flags, more);                       \
        va_end(more);                                          \
        return opened(at, path, flags, mode, REAL(really));    \
    }

OPEN(open, (const char *path, int flags, ...), AT_FDCWD, openat)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, openat64)
OPEN(openat, (int at, const char *path, int flags, ...), at, openat)
OPEN(openat64, (int at, const char *path, int flags, ...), at, openat64)

static int named(enum kind kind, int at, const char *path, int result) {
    char whole[PATH_MAX];
    struct stat found = {0};
    if (!result && absolute(at, path, whole)) {
        if (kind == LINK && lstat(whole, &found))
            abort();
        put_bytes(kind, found.st_ino, 0, whole, strlen(whole));
    }
    return result;
}

int link(const char *old, const char *path) { return named(LINK, AT_FDCWD, path, REAL(link)(old, path)); }

int linkat(int from, const char *old, int at, const char *path, int flags) {
    return named(LINK, at, path, REAL(linkat)(from, old, at, path, flags));
}

int unlink(const char *path) { return named(UNLINK, AT_FDCWD, path, REAL(unlink)(path)); }

int rmdir(const char *path) { return named(NO_FOLDER, AT_FDCWD, path, REAL(rmdir)(path)); }

int unlinkat(int at, const char *path, int flags) {
    return named(flags & AT_REMOVEDIR ? NO_FOLDER : UNLINK, at, path, REAL(unlinkat)(at, path, flags));
}

int mkdir(const char *path, mode_t mode) { return named(FOLDER, AT_FDCWD, path, REAL(mkdir)(path, mode)); }

int mkdirat(int at, const char *path, mode_t mode) { return named(FOLDER, at, path, REAL(mkdirat)(at, path, mode)); }

static int renamed(int from, const char *old, int at, const char *path, int result) {
    char one[PATH_MAX], other[PATH_MAX];
    int counted = absolute(from, old, one) | absolute(at, path, other);
    if (!result && counted) {
        struct iovec parts[] = {{one, strlen(one) + 1}, {other, strlen(other)}};
        put(RENAME, 0, 0, parts, 2);
    }
    return result;
}

int rename(const char *old, const char *path) {
    return renamed(AT_FDCWD, old, AT_FDCWD, path, REAL(rename)(old, path));
}

int renameat(int from, const char *old, int at, const char *path) {
    return renamed(from, old, at, path, REAL(renameat)(from, old, at, path));
}

/* --- what leaves --- */

ssize_t writev(int fd, const struct iovec *parts, int count) {
    sends(fd, parts, (size_t)count);
    if (file_of(fd))
        abort();
    return REAL(writev)(fd, parts, count);
}

ssize_t send(int fd, const void *data, size_t length, int flags) {
    struct iovec part = {(void *)data, length};
    sends(fd, &part, 1);
    return REAL(send)(fd, data, length, flags);
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    struct iovec part = {(void *)data, length};
    sends(fd, &part, 1);
    return REAL(sendto)(fd, data, length, flags, to, size);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    sends(fd, message->msg_iov, message->msg_iovlen);
    return REAL(sendmsg)(fd, message, flags);
}
