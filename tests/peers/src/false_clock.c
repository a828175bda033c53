/* Stands before the system's wall clock in one process (LD_PRELOAD): its time, and whether it is synchronised.
 * Both are in the file that FALSE_CLOCK names: seconds to add, and 1 or 0. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static void look(long long *seconds, int *synchronised) {
    char text[64] = {0};
    const char *path = getenv("FALSE_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) > 0)
            sscanf(text, "%lld %d", seconds, synchronised);
        close(file);
    }
}

int clock_gettime(clockid_t id, struct timespec *time) {
    long long seconds = 0;
    int synchronised = 0, result = (int)syscall(SYS_clock_gettime, id, time);
    if (result == 0 && id == CLOCK_REALTIME) {
        look(&seconds, &synchronised);
        time->tv_sec += seconds;
    }
    return result;
}

int adjtimex(struct timex *about) {
    long long seconds = 0;
    int synchronised = 0;
    look(&seconds, &synchronised);
    memset(about, 0, sizeof *about);
    about->status = synchronised ? 0 : STA_UNSYNC;
    return synchronised ? TIME_OK : TIME_ERROR;
}
