// Prints how many nanoseconds a word takes from one CPU to another and back: the longest of the ways from the first
// CPU named to each other one. Linux only, since the threads must stay on their CPUs.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUND_TRIPS = 1000 };
static const double SECONDS = 0.02;

static _Alignas(128) atomic_int word;
static _Alignas(128) atomic_int done;

static void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        perror("sched_setaffinity");
        exit(1);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *answer(void *cpu) {
    stay_on((int)(intptr_t)cpu);
    while (!atomic_load(&done))
        if (atomic_load(&word)) atomic_store(&word, 0);
    return NULL;
}

// The quickest of many short series: whoever else is running, a thread that still spins after its work, say, makes
// some of them longer, and none shorter.
static double round_trip(int other) {
    pthread_t thread;
    atomic_store(&done, 0);
    if (pthread_create(&thread, NULL, answer, (void *)(intptr_t)other) != 0) {
        perror("pthread_create");
        exit(1);
    }
    double quickest = 1e9;
    for (double begin = now(), end = begin + SECONDS; begin < end;) {
        for (int i = 0; i < ROUND_TRIPS; ++i) {
            atomic_store(&word, 1);
            while (atomic_load(&word)) {
            }
        }
        double time = now();
        if (time - begin < quickest) quickest = time - begin;
        begin = time;
    }
    atomic_store(&done, 1);
    pthread_join(thread, NULL);
    return 1e9 * quickest / ROUND_TRIPS;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    stay_on(atoi(arguments[1]));
    double longest = 0;
    for (int i = 2; i < count; ++i) {
        double time = round_trip(atoi(arguments[i]));
        if (time > longest) longest = time;
    }
    printf("%.1f\n", longest);
}
