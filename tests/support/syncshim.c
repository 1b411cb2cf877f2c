/* Stands between a server and the C library (LD_PRELOAD) and writes down, in the order in which it happens:
 *
 *   frame <commit>            a frame's header was written to the write-ahead log; <commit> is 1 for a transaction's last
 *   page <marked words>       a page was written to the log, with the marked words that it holds
 *   sync begun                fdatasync or fsync of the log begins
 *   sync <result> <errno>     ... and is over
 *   send <fd> <status> <marked words>
 *                             bytes are about to leave by a socket; <status> is the HTTP status when they begin a reply,
 *                             0 otherwise
 *
 * What reaches the disk is written down once it is done, what leaves by a socket before it begins, so that the order
 * of the lines is never kinder than what happened. Each line is one write to a file opened with O_APPEND.
 *
 *   SYNCSHIM_LOG    the file to write to
 *   SYNCSHIM_MARK   how the words to look for begin; eight digits follow
 *   SYNCSHIM_FAIL   a file; while it exists a sync of the log does not happen, fails with EIO, and removes it
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINE 60000
#define DIGITS 8
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int log_fd(void) {
    static int fd = -1;
    const char *path = getenv("SYNCSHIM_LOG");
    if (fd < 0 && path)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd;
}

static void put(const char *line, size_t length) {
    int before = errno;
    if (log_fd() >= 0 && syscall(SYS_write, log_fd(), line, length) != (ssize_t)length)
        abort(); /* a line that is missing could make a wrong order look right */
    errno = before;
}

static int is_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    return length > 4 && !memcmp(path + length - 4, "-wal", 4);
}

static int is_socket(int fd) {
    struct stat found;
    return !fstat(fd, &found) && S_ISSOCK(found.st_mode);
}

static int digits(const unsigned char *data) {
    for (int place = 0; place < DIGITS; place++)
        if (data[place] < '0' || data[place] > '9')
            return 0;
    return 1;
}

/* Append the marked words of `data` to `line`. Their length is fixed, because any byte may follow in the log. */
static size_t words(char *line, size_t at, const unsigned char *data, size_t length) {
    const char *mark = getenv("SYNCSHIM_MARK");
    size_t marks = mark ? strlen(mark) : 0;
    const unsigned char *end = data + length, *found = data;
    while (marks && (found = memmem(found, (size_t)(end - found), mark, marks))) {
        size_t word = marks + DIGITS;
        if ((size_t)(end - found) < word || !digits(found + marks)) {
            found += marks;
            continue;
        }
        if (at + word + 2 >= LINE)
            abort();
        line[at++] = ' ';
        memcpy(line + at, found, word);
        at += word;
        found += word;
    }
    return at;
}

static void wrote(int fd, const unsigned char *data, ssize_t length) {
    static __thread char line[LINE];
    size_t at;
    if (length <= 0 || !is_log(fd))
        return;
    if (length == 24) { /* of a frame's header the second four bytes are the pages after commit, or zero */
        at = (size_t)sprintf(line, "frame %d", (data[4] | data[5] | data[6] | data[7]) != 0);
    } else {
        at = (size_t)sprintf(line, "page");
        at = words(line, at, data, (size_t)length);
    }
    line[at++] = '\n';
    put(line, at);
}

static void sends(int fd, const struct iovec *parts, size_t count) {
    static __thread char line[LINE];
    int status = 0;
    size_t at, bare;
    if (!is_socket(fd))
        return;
    if (count && parts[0].iov_len >= 12 && !memcmp(parts[0].iov_base, "HTTP/1.1 ", 9))
        status = atoi((const char *)parts[0].iov_base + 9);
    bare = at = (size_t)sprintf(line, "send %d %d", fd, status);
    for (size_t part = 0; part < count; part++)
        at = words(line, at, parts[part].iov_base, parts[part].iov_len);
    if (!status && at == bare)
        return;
    line[at++] = '\n';
    put(line, at);
}

static int synced(int fd, int (*really)(int)) {
    char line[64];
    const char *fail = getenv("SYNCSHIM_FAIL");
    int result;
    if (!is_log(fd))
        return really(fd);
    put("sync begun\n", 11);
    if (fail && !unlink(fail)) {
        errno = EIO;
        result = -1;
    } else {
        result = really(fd);
    }
    put(line, (size_t)sprintf(line, "sync %d %d\n", result, result ? errno : 0));
    return result;
}

int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int fsync(int fd) { return synced(fd, REAL(fsync)); }

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    ssize_t done = REAL(pwrite)(fd, data, length, offset);
    wrote(fd, data, done);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    ssize_t done = REAL(pwrite64)(fd, data, length, offset);
    wrote(fd, data, done);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec part = {(void *)data, length};
    sends(fd, &part, 1);
    ssize_t done = REAL(write)(fd, data, length);
    wrote(fd, data, done);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    sends(fd, parts, (size_t)count);
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
