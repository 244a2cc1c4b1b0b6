/* A stand-in for FFmpeg that takes hardly any CPU, so that hundreds can run beside the service.
 *
 * As compositor or slate it writes a recorded MPEG-TS to stdout at its original pace, PES by PES,
 * over and over, with timestamps that go on. As publisher it reads stdin to the end. All other
 * commands it passes on to the real FFmpeg. STAND_IN_TS is the recording. STAND_IN_INDEX has two
 * 32-bit numbers for each PES: microseconds and bytes.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PACKET 188
#define LATE_NS 50000000

struct entry { uint32_t at_us, size; };

static const void *map(const char *path, size_t *size) {
    struct stat known;
    int fd = path ? open(path, O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &known) < 0) exit(3);
    *size = known.st_size;
    return mmap(NULL, known.st_size, PROT_READ, MAP_SHARED, fd, 0);
}

static void write_all(const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(1, data, size);
        if (written < 0) exit(1);
        data += written;
        size -= written;
    }
}

/* Move a PTS or DTS of a PES header forward (ISO/IEC 13818-1, 2.4.3.6). */
static void shift(uint8_t *at, uint64_t ticks) {
    uint64_t value = (uint64_t)(at[0] >> 1 & 7) << 30 | at[1] << 22 | at[2] >> 1 << 15 | at[3] << 7 | at[4] >> 1;
    value = (value + ticks) & 0x1FFFFFFFF;
    at[0] = (at[0] & 0xF1) | (value >> 30 & 7) << 1;
    at[1] = value >> 22;
    at[2] = (value >> 15 & 0x7F) << 1 | 1;
    at[3] = value >> 7;
    at[4] = (value & 0x7F) << 1 | 1;
}

static void shift_first(uint8_t *packet, uint64_t ticks) {
    size_t start = 4 + (packet[3] & 0x20 ? 1 + packet[4] : 0);
    if (!(packet[1] & 0x40) || start + 19 > PACKET || memcmp(packet + start, "\0\0\1", 3)) return;
    if (packet[start + 7] & 0x80) shift(packet + start + 9, ticks);
    if (packet[start + 7] & 0x40) shift(packet + start + 14, ticks);
}

/* On an overloaded machine a late stand-in stays late instead of catching up. */
static void do_not_catch_up(struct timespec *begin, const struct timespec *due) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t late_ns = (now.tv_sec - due->tv_sec) * 1000000000LL + now.tv_nsec - due->tv_nsec;
    if (late_ns > LATE_NS) {
        begin->tv_sec += (begin->tv_nsec + late_ns) / 1000000000;
        begin->tv_nsec = (begin->tv_nsec + late_ns) % 1000000000;
    }
}

static void give(void) {
    size_t ts_size, index_size;
    const uint8_t *ts = map(getenv("STAND_IN_TS"), &ts_size);
    const struct entry *index = map(getenv("STAND_IN_INDEX"), &index_size);
    size_t entries = index_size / sizeof *index;
    uint64_t length_us = index[entries - 1].at_us + 33333;
    struct timespec begin;
    fputs("Stream mapping:\n  Stream #0:1 -> #0:1 (aac (native) -> aac (native))\n", stderr);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (uint64_t turn = 0;; turn++) {
        const uint8_t *at = ts;
        for (size_t i = 0; i < entries; i++) {
            uint64_t due_ns = begin.tv_nsec + (turn * length_us + index[i].at_us) * 1000;
            struct timespec due = {begin.tv_sec + due_ns / 1000000000, due_ns % 1000000000};
            uint8_t unit[index[i].size];
            memcpy(unit, at, index[i].size);
            for (size_t p = 0; p < index[i].size; p += PACKET) shift_first(unit + p, turn * length_us * 9 / 100);
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
            do_not_catch_up(&begin, &due);
            write_all(unit, index[i].size);
            at += index[i].size;
        }
    }
}

static void take(void) {
    static uint8_t buffer[65536];
    fputs("Output #0, flv, to 'stand-in':\n", stderr);
    while (read(0, buffer, sizeof buffer) > 0) {}
}

static int has(char **argv, const char *word) {
    for (; *argv; argv++)
        if (!strcmp(*argv, word)) return 1;
    return 0;
}

int main(int argc, char **argv) {
    (void)argc;
    if (has(argv, "pipe:0") && has(argv, "flv")) take();
    else if (has(argv, "pipe:1") && has(argv, "mpegts") && has(argv, "-loop")) give();
    else {
        argv[0] = getenv("STAND_IN_FOR");
        execv(argv[0], argv);
        return 3;
    }
    return 0;
}
