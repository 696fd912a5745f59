/* A canned-answer Atelier server for measurements: it never computes, so that what is measured is ours.
 *
 * usage: stub REPLIES PORT LATENCY_MS [PORT LATENCY_MS ...]
 *
 * REPLIES holds answers recorded from the embedded IRIS, repeatedly: u32 length, request key, u32 length,
 * body (little endian). The key is the request's body, or its path for a GET or HEAD. A request that was
 * never recorded is answered with 500 and counted; GET /__stats tells "requests unknown" and clears both.
 * The latency is that of a network: requests that come together are answered together, in order.
 * Linux only (epoll, timerfd). One thread, HTTP/1.1 with Content-Length.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 20000
#define MAX_PORTS 8
#define SLOTS (1 << 16)
#define QUEUE (1 << 16)
#define BEHIND 8

typedef struct {
    char *data;
    size_t length;
} Bytes;

typedef struct {
    Bytes key;
    Bytes plain;      /* whole answer */
    Bytes with_cookie; /* the same with the session cookies of a first request */
} Answer;

typedef struct {
    int fd, port;
    uint32_t generation; /* tells a connection from its successor on the same descriptor */
    char *input;
    size_t filled, room;
    const Bytes *output;
    const Bytes *behind[BEHIND]; /* answers that wait for the one that is being sent */
    int waiting;
    size_t sent;
    int due; /* requests whose answers have not begun to be sent */
} Connection;

typedef struct {
    uint64_t due;
    int fd;
    uint32_t generation;
    const Bytes *answer;
} Delayed;

static Answer *table[SLOTS];
static Bytes unknown_answer, stats_answer;
static Connection connections[MAX_FD];
static struct {
    int fd;
    uint64_t latency_ns;
    Delayed *queue; /* same latency for all, so first in is first due */
    unsigned head, tail;
} ports[MAX_PORTS];
static int port_count, epoll_fd, timer_fd;
static long requests, unknown;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t hash(const char *data, size_t length) {
    uint64_t h = 1469598103934665603ull; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)data[i]) * 1099511628211ull;
    return h;
}

static Bytes http(const char *status, const char *extra, const char *body, size_t length) {
    Bytes out = {malloc(length + 1024), 0};
    int head = sprintf(out.data,
                       "HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\n"
                       "Content-Length: %zu\r\nCache-Control: no-cache\r\nServer: Apache\r\n%s\r\n",
                       status, length, extra);
    memcpy(out.data + head, body, length);
    out.length = (size_t)head + length;
    return out;
}

static Answer **slot_of(const char *key, size_t length) {
    uint64_t i = hash(key, length) & (SLOTS - 1);
    while (table[i] && (table[i]->key.length != length || memcmp(table[i]->key.data, key, length)))
        i = (i + 1) & (SLOTS - 1);
    return &table[i];
}

static int read_bytes(FILE *file, Bytes *out) {
    uint32_t length;
    if (fread(&length, 4, 1, file) != 1)
        return 0;
    out->data = malloc(length + 1);
    out->length = length;
    return fread(out->data, 1, length, file) == length;
}

static void load_answers(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    Bytes key, body;
    while (read_bytes(file, &key) && read_bytes(file, &body)) {
        Answer *answer = malloc(sizeof *answer);
        answer->key = key;
        answer->plain = http("200 OK", "", body.data, body.length);
        answer->with_cookie = http("200 OK",
                                   "Set-Cookie: CSPSESSIONID-SP-52773-UP-api-atelier-=001000000000abcdef; "
                                   "path=/api/atelier/; httpOnly; sameSite=strict\r\n"
                                   "Set-Cookie: CSPWSERVERID=stub; path=/; httpOnly\r\n",
                                   body.data, body.length);
        *slot_of(key.data, key.length) = answer;
        free(body.data);
    }
    fclose(file);
}

static void arm_timer(void) {
    uint64_t first = 0;
    for (int k = 0; k < port_count; k++)
        if (ports[k].head != ports[k].tail) {
            uint64_t due = ports[k].queue[ports[k].head % QUEUE].due;
            if (!first || due < first)
                first = due;
        }
    struct itimerspec at = {0};
    at.it_value.tv_sec = (time_t)(first / 1000000000ull);
    at.it_value.tv_nsec = (long)(first % 1000000000ull);
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void drop(Connection *c) {
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    c->fd = -1;
    c->generation++;
    c->filled = 0;
    c->due = 0;
    c->waiting = 0;
    c->output = NULL;
}

static void watch(Connection *c, uint32_t events) {
    struct epoll_event e = {.events = events, .data.fd = c->fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

static void push(Connection *c) {
    while (c->output) {
        if (c->sent == c->output->length) {
            c->output = c->waiting ? c->behind[0] : NULL;
            c->sent = 0;
            if (c->waiting)
                memmove(c->behind, c->behind + 1, sizeof *c->behind * (size_t)--c->waiting);
            continue;
        }
        ssize_t n = send(c->fd, c->output->data + c->sent, c->output->length - c->sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EAGAIN)
                watch(c, EPOLLIN | EPOLLOUT);
            else
                drop(c);
            return;
        }
        c->sent += (size_t)n;
    }
}

static void answer_with(Connection *c, const Bytes *answer) {
    c->due--;
    if (c->output) {
        c->behind[c->waiting++] = answer;
        return;
    }
    c->output = answer;
    c->sent = 0;
    push(c);
}

static const Bytes *choose(const char *head, size_t head_length, const char *body, size_t length, int cookie) {
    const char *key = body;
    if (memcmp(head, "POST ", 5)) {
        key = memchr(head, ' ', head_length) + 1;
        length = (size_t)((char *)memchr(key, ' ', head_length) - key);
        if (length == 8 && !memcmp(key, "/__stats", 8)) {
            char text[64];
            int n = sprintf(text, "%ld %ld", requests, unknown);
            requests = unknown = 0;
            free(stats_answer.data);
            stats_answer = http("200 OK", "", text, (size_t)n);
            return &stats_answer;
        }
    }
    requests++;
    Answer *found = *slot_of(key, length);
    if (!found) {
        if (unknown++ == 0)
            fprintf(stderr, "never recorded: %.*s\n", (int)length, key);
        return &unknown_answer;
    }
    return cookie ? &found->plain : &found->with_cookie;
}

static void serve(Connection *c) {
    while (c->fd >= 0 && c->due + c->waiting < BEHIND && c->filled) {
        char *end = memmem(c->input, c->filled, "\r\n\r\n", 4);
        if (!end)
            return;
        size_t head = (size_t)(end - c->input) + 4, length = 0;
        int cookie = 0;
        for (char *line = c->input; line < end; line = (char *)memchr(line, '\n', (size_t)(end + 2 - line)) + 1) {
            if (!strncasecmp(line, "content-length:", 15))
                length = strtoul(line + 15, NULL, 10);
            else if (!strncasecmp(line, "cookie:", 7))
                cookie = 1;
        }
        if (c->filled < head + length)
            return;
        const Bytes *answer = choose(c->input, head, c->input + head, length, cookie);
        memmove(c->input, c->input + head + length, c->filled - head - length);
        c->filled -= head + length;
        c->due++;
        uint64_t latency = ports[c->port].latency_ns;
        if (!latency || (answer == &stats_answer && c->due == 1)) {
            answer_with(c, answer);
            continue;
        }
        int first = ports[c->port].head == ports[c->port].tail;
        ports[c->port].queue[ports[c->port].tail++ % QUEUE] =
            (Delayed){now_ns() + latency, c->fd, c->generation, answer};
        if (first)
            arm_timer();
    }
}

static void deliver_due(void) {
    uint64_t ticks, now = now_ns() + 20000;
    if (read(timer_fd, &ticks, 8) < 0 && errno != EAGAIN)
        perror("timer");
    for (int k = 0; k < port_count; k++)
        while (ports[k].head != ports[k].tail && ports[k].queue[ports[k].head % QUEUE].due <= now) {
            Delayed *item = &ports[k].queue[ports[k].head++ % QUEUE];
            Connection *c = &connections[item->fd];
            if (c->fd == item->fd && c->generation == item->generation) {
                answer_with(c, item->answer);
                serve(c);
            }
        }
    arm_timer();
}

static void take_connections(int k) {
    int fd, on = 1;
    while ((fd = accept4(ports[k].fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Connection *c = &connections[fd];
        c->fd = fd;
        c->port = k;
        c->filled = 0;
        c->due = 0;
        c->waiting = 0;
        c->output = NULL;
        if (!c->input) {
            c->room = 1 << 16;
            c->input = malloc(c->room);
        }
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
    }
}

static void take_input(Connection *c) {
    if (c->filled == c->room) {
        c->room *= 2;
        c->input = realloc(c->input, c->room);
    }
    ssize_t n = recv(c->fd, c->input + c->filled, c->room - c->filled, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            drop(c);
        return;
    }
    c->filled += (size_t)n;
    serve(c);
}

static void listen_on(int number, uint64_t latency_ms) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (void *)&address, sizeof address) || listen(fd, 4096)) {
        perror("bind");
        exit(1);
    }
    ports[port_count].fd = fd;
    ports[port_count].latency_ns = latency_ms * 1000000ull;
    ports[port_count].queue = malloc(sizeof(Delayed) * QUEUE);
    port_count++;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

int main(int argc, char **argv) {
    if (argc < 4 || argc % 2 || argc > 2 + 2 * MAX_PORTS) {
        fprintf(stderr, "usage: stub REPLIES PORT LATENCY_MS [PORT LATENCY_MS ...]\n");
        return 2;
    }
    struct rlimit files = {MAX_FD, MAX_FD};
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < MAX_FD; i++)
        connections[i].fd = -1;
    load_answers(argv[1]);
    unknown_answer = http("500 Internal Server Error", "", "{}", 2);
    epoll_fd = epoll_create1(0);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = timer_fd};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &e);
    for (int i = 2; i + 1 < argc; i += 2)
        listen_on(atoi(argv[i]), strtoul(argv[i + 1], NULL, 10));
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll_fd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd, k = 0;
            while (k < port_count && ports[k].fd != fd)
                k++;
            if (k < port_count) {
                take_connections(k);
            } else if (fd == timer_fd) {
                deliver_due();
            } else {
                Connection *c = &connections[fd];
                if (c->fd >= 0 && events[i].events & EPOLLOUT) {
                    watch(c, EPOLLIN);
                    push(c);
                    serve(c);
                }
                if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                    take_input(c);
            }
        }
    }
}
