/* A machine whose clock is wrong: LD_PRELOAD this, and the wall clock is off by the seconds that the file named by
   CLOCK_OFF holds at the time. No other clock is touched. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, which, time);
    if (which == CLOCK_REALTIME) {
        FILE *file = fopen(getenv("CLOCK_OFF"), "r");
        long seconds = 0;
        if (file && fscanf(file, "%ld", &seconds) == 1) time->tv_sec += seconds;
        if (file) fclose(file);
    }
    return result;
}
