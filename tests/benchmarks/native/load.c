/* A WebSocket load client for measurements: closed loop, one command in flight per socket.
 *
 * usage: load PORT PATH COOKIES SOCKETS SECONDS WARM_SECONDS DONE_EVENT MESSAGES PIDS
 *
 * COOKIES is a file with one Cookie header a line; the sockets take them in turn, so that each may be a
 * person of its own. MESSAGES is a file: its first line is sent once by each socket (empty: nothing) and is answered when
 * "tableData" came; the other lines are then sent in turn, each when the one before was answered by
 * DONE_EVENT. PIDS (comma separated) are the server's processes, whose CPU time and memory are read from
 * /proc. With SECONDS 0 it only connects, holds the sockets until standard input ends, and tells how long
 * connecting took and how much memory a socket costs. Prints one JSON object. Linux only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKES_AT_ONCE 64
#define MESSAGES_MAX 256
#define COOKIES_MAX 2000

enum State { HANDSHAKE, PREPARING, RUNNING };

typedef struct {
    char *data;
    size_t length;
} Frame;

typedef struct {
    int fd;
    enum State state;
    char *input;
    size_t filled, room;
    double asked; /* when the command in flight was sent */
    int turn;
} Socket;

static Socket *sockets;
static int epoll_fd, count;
static char *cookies[COOKIES_MAX];
static int cookie_count;
static Frame prepare, messages[MESSAGES_MAX];
static int message_count;
static char done[128];
static double *samples;
static size_t sample_count, sample_room;
static long errors, closed;
static int prepared, upgraded, measuring, stopping;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static Frame make_frame(const char *text) {
    size_t n = strlen(text), k = 0;
    const unsigned char mask[4] = {0x12, 0x9a, 0x5c, 0xe7};
    unsigned char *out = malloc(n + 16);
    out[k++] = 0x81; /* a final text frame (RFC 6455 section 5.2) */
    if (n < 126) {
        out[k++] = (unsigned char)(0x80 | n);
    } else {
        out[k++] = 0x80 | 126;
        out[k++] = (unsigned char)(n >> 8);
        out[k++] = (unsigned char)(n & 255);
    }
    memcpy(out + k, mask, 4);
    k += 4;
    for (size_t i = 0; i < n; i++)
        out[k + i] = (unsigned char)text[i] ^ mask[i & 3];
    return (Frame){(char *)out, k + n};
}

static void read_cookies(const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file) {
        perror(path);
        exit(1);
    }
    while (cookie_count < COOKIES_MAX && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        cookies[cookie_count++] = strdup(line);
    }
    free(line);
    fclose(file);
    if (!cookie_count) {
        fprintf(stderr, "%s is empty\n", path);
        exit(1);
    }
}

static void read_messages(const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    if (!file) {
        perror(path);
        exit(1);
    }
    for (int i = 0; (n = getline(&line, &room, file)) >= 0; i++) {
        if (n && line[n - 1] == '\n')
            line[--n] = 0;
        if (i == 0) {
            if (n)
                prepare = make_frame(line);
        } else if (message_count < MESSAGES_MAX) {
            messages[message_count++] = make_frame(line);
        }
    }
    free(line);
    fclose(file);
}

/* CPU seconds and resident MB of the server's processes. */
static double usage(const char *pids, double *resident) {
    double seconds = 0;
    char list[512], path[600], line[256];
    *resident = 0;
    snprintf(list, sizeof list, "%s", pids);
    for (char *pid = strtok(list, ","); pid; pid = strtok(NULL, ",")) {
        snprintf(path, sizeof path, "/proc/%s/task", pid);
        DIR *tasks = opendir(path);
        for (struct dirent *task; tasks && (task = readdir(tasks));) {
            if (task->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, task->d_name);
            FILE *file = fopen(path, "r");
            unsigned long long ran;
            if (file && fscanf(file, "%llu", &ran) == 1)
                seconds += (double)ran * 1e-9;
            if (file)
                fclose(file);
        }
        if (tasks)
            closedir(tasks);
        snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
        FILE *file = fopen(path, "r");
        long value;
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "Rss: %ld", &value) == 1)
                *resident += (double)value / 1024.0;
        if (file)
            fclose(file);
    }
    return seconds;
}

static void send_frame(Socket *s, const Frame *frame) {
    if (send(s->fd, frame->data, frame->length, MSG_NOSIGNAL) != (ssize_t)frame->length)
        errors++;
}

static void ask(Socket *s) {
    s->asked = now();
    send_frame(s, &messages[s->turn++ % message_count]);
}

static void take_sample(double seconds) {
    if (sample_count == sample_room) {
        sample_room = sample_room ? sample_room * 2 : 65536;
        samples = realloc(samples, sample_room * sizeof *samples);
    }
    samples[sample_count++] = seconds;
}

static void take_message(Socket *s, const char *text, size_t length) {
    size_t head = length < 64 ? length : 64; /* the event's name is in front */
    int failed = memmem(text, head, "\"event\":\"error\"", 15) != NULL;
    if (failed && errors++ == 0)
        fprintf(stderr, "first error: %.*s\n", (int)(length < 300 ? length : 300), text);
    if (s->state == PREPARING) {
        if (failed || memmem(text, head, "\"tableData\"", 11)) {
            s->state = RUNNING;
            prepared++;
        }
    } else if (failed || memmem(text, head, done, strlen(done))) {
        if (measuring)
            take_sample(now() - s->asked);
        if (!stopping)
            ask(s);
    }
}

static void take_input(Socket *s) {
    for (;;) {
        if (s->room - s->filled < 32768) {
            s->room = s->room ? s->room * 2 : 65536;
            s->input = realloc(s->input, s->room);
        }
        size_t want = s->room - s->filled;
        ssize_t n = recv(s->fd, s->input + s->filled, want, 0);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            closed++;
            epoll_ctl(epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
            close(s->fd);
            s->fd = -1;
            return;
        }
        s->filled += (size_t)n;
        if ((size_t)n < want)
            break;
    }
    size_t at = 0;
    if (s->state == HANDSHAKE) {
        char *end = memmem(s->input, s->filled, "\r\n\r\n", 4);
        if (!end)
            return;
        if (memcmp(s->input + 9, "101", 3) && errors++ == 0)
            fprintf(stderr, "handshake refused: %.60s\n", s->input);
        at = (size_t)(end - s->input) + 4;
        s->state = PREPARING;
        upgraded++;
    }
    while (s->filled - at >= 2) {
        unsigned char *p = (unsigned char *)s->input + at;
        size_t n = p[1] & 127, head = 2;
        if (n == 126) {
            if (s->filled - at < 4)
                break;
            n = (size_t)p[2] << 8 | p[3];
            head = 4;
        } else if (n == 127) {
            if (s->filled - at < 10)
                break;
            n = 0;
            for (int i = 2; i < 10; i++)
                n = n << 8 | p[i];
            head = 10;
        }
        if (s->filled - at < head + n)
            break;
        int kind = p[0] & 15;
        if (kind == 1) {
            take_message(s, (char *)p + head, n);
        } else if (kind == 9) {
            const Frame pong = {"\x8a\x80\0\0\0\0", 6};
            send_frame(s, &pong);
        }
        at += head + n;
    }
    if (at) {
        memmove(s->input, s->input + at, s->filled - at);
        s->filled -= at;
    }
}

static int all_upgraded(void) {
    return upgraded + closed >= count;
}

static int all_prepared(void) {
    return prepared + closed >= count;
}

static int opened;

static int few_handshakes(void) {
    return opened - upgraded - closed < HANDSHAKES_AT_ONCE;
}

static void pump(double until, int (*enough)(void)) {
    struct epoll_event events[512];
    while (now() < until && !(enough && enough())) {
        int wait = (int)((until - now()) * 1000);
        int n = epoll_wait(epoll_fd, events, 512, wait < 0 ? 0 : wait > 50 ? 50 : wait);
        for (int i = 0; i < n; i++) {
            Socket *s = events[i].data.ptr;
            if (s->fd >= 0)
                take_input(s);
        }
    }
}

static void open_socket(Socket *s, int port, const char *path, const char *cookie) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[2048];
    int on = 1;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s->fd, (void *)&address, sizeof address)) {
        perror("connect");
        exit(1);
    }
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                     "Origin: http://127.0.0.1:%d\r\nCookie: %s\r\n\r\n",
                     path, port, port, cookie);
    if (send(s->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        errors++;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &e);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double milliseconds(double share) {
    return sample_count ? samples[(size_t)((double)(sample_count - 1) * share)] * 1e3 : 0;
}

int main(int argc, char **argv) {
    if (argc != 10) {
        fprintf(stderr, "usage: load PORT PATH COOKIES SOCKETS SECONDS WARM_SECONDS DONE_EVENT MESSAGES PIDS\n");
        return 2;
    }
    int port = atoi(argv[1]);
    count = atoi(argv[4]);
    double seconds = atof(argv[5]), warm = atof(argv[6]), resident_before, resident;
    const char *pids = argv[9];
    snprintf(done, sizeof done, "\"event\":\"%s\"", argv[7]);
    read_cookies(argv[3]);
    read_messages(argv[8]);
    struct rlimit files = {20000, 20000};
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(0);
    sockets = calloc((size_t)count, sizeof *sockets);

    usage(pids, &resident_before);
    double start = now();
    while (opened < count) {
        open_socket(&sockets[opened], port, argv[2], cookies[opened % cookie_count]);
        opened++;
        pump(now() + 60, few_handshakes);
    }
    pump(now() + 60, all_upgraded);
    double connecting = now() - start;
    usage(pids, &resident);
    if (seconds <= 0) {
        printf("{\"sockets\":%d,\"connect_s\":%.3f,\"kb_per_socket\":%.1f,\"resident_mb\":%.1f,\"closed\":%ld,"
               "\"errors\":%ld}\n",
               count, connecting, (resident - resident_before) * 1024 / count, resident, closed, errors);
        fflush(stdout);
        while (getchar() != EOF) {
        }
        return 0;
    }
    for (int i = 0; i < count; i++) {
        if (prepare.data)
            send_frame(&sockets[i], &prepare);
        else
            sockets[i].state = RUNNING;
    }
    if (prepare.data)
        pump(now() + 30, all_prepared);
    for (int i = 0; i < count; i++) {
        sockets[i].turn = i; /* not all at the same message */
        ask(&sockets[i]);
    }
    pump(now() + warm, NULL);

    measuring = 1;
    double cpu_before = usage(pids, &resident), began = now();
    pump(began + seconds, NULL);
    double elapsed = now() - began, cpu = usage(pids, &resident) - cpu_before;
    measuring = 0;
    stopping = 1;
    qsort(samples, sample_count, sizeof *samples, by_size);
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    double own_cpu = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
                     1e-6 * (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
    printf("{\"sockets\":%d,\"rate\":%.1f,\"p50_ms\":%.4f,\"p95_ms\":%.4f,\"p99_ms\":%.4f,\"cpu_per_1000\":%.4f,"
           "\"resident_mb\":%.1f,\"client_cpu_s\":%.2f,\"connect_s\":%.3f,\"errors\":%ld,\"closed\":%ld,"
           "\"samples\":%zu}\n",
           count, (double)sample_count / elapsed, milliseconds(0.5), milliseconds(0.95), milliseconds(0.99),
           sample_count ? cpu / (double)sample_count * 1000 : 0, resident, own_cpu, connecting, errors, closed,
           sample_count);
    return 0;
}
