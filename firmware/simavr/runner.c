/* SPDX-License-Identifier: Apache-2.0
 * Runs an AVR board on libsimavr, its UART 0 on a TCP socket: simavr MCU HZ ELF FD. FD is a listening socket that
 * whoever starts this has opened. The board starts when the first client has connected, so its banner is never lost;
 * clients may come and go, one at a time, and the board stands still while there is none.
 *
 * With TINYPROOF_UART_LOG=FILE in the environment, FILE gets a line `CYCLE < HEX` for each byte that goes to the UART,
 * and `CYCLE > HEX` for each that comes from it: the UART takes as long for a byte as its registers say.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define STEPS_PER_POLL 5000      /* instructions between two looks at the socket while the core works */
#define AHEAD_MS 4               /* that simulated time may be of the host's on an idle line */

static struct {
    int listener;
    int client;
    bool accepts; /* the UART has room for a byte */
    char received[256];
    size_t received_first, received_end;
    char sent[256];
    size_t sent_bytes;
    avr_irq_t *input;
    const avr_t *avr;
    uint64_t byte_cycle, byte_ms; /* when the last byte came or went, simulated and by the host's clock */
    FILE *log; /* NULL: none is wanted */
} uart = {.listener = -1, .client = -1};

static uint64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

static void note(char direction, uint8_t byte) {
    uart.byte_cycle = uart.avr->cycle;
    uart.byte_ms = now_ms();
    if (uart.log) {
        (void)fprintf(uart.log, "%llu %c %02X\n", (unsigned long long)uart.avr->cycle, direction, byte);
    }
}

static void fail(const char *what, const char *why) {
    (void)fprintf(stderr, "simavr: %s: %s\n", what, why);
    exit(1);
}

static void wait_for_client(void) {
    if (uart.client >= 0) {
        (void)close(uart.client);
    }
    uart.sent_bytes = 0;
    uart.received_first = uart.received_end = 0;
    do {
        uart.client = accept(uart.listener, NULL, NULL);
    } while (uart.client < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (uart.client < 0) {
        fail("accept", strerror(errno));
    }
    const int on = 1; /* otherwise a round trip takes 40 ms */
    (void)setsockopt(uart.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void flush(void) {
    size_t done = 0;
    while (done < uart.sent_bytes) {
        const ssize_t count = send(uart.client, uart.sent + done, uart.sent_bytes - done, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            wait_for_client();
            return;
        }
        done += (size_t)count;
    }
    uart.sent_bytes = 0;
}

/* Bytes from the client to the UART, as far as it accepts them. */
static void feed(void) {
    while (uart.accepts && uart.received_first < uart.received_end) {
        const uint8_t byte = (uint8_t)uart.received[uart.received_first++];
        note('<', byte);
        avr_raise_irq(uart.input, byte);
    }
}

/* Looks at the socket for up to `wait_ms`. */
static void exchange(int wait_ms) {
    flush();
    if (uart.received_first == uart.received_end) {
        struct pollfd client = {.fd = uart.client, .events = POLLIN};
        if (poll(&client, 1, wait_ms) > 0) {
            const ssize_t count = recv(uart.client, uart.received, sizeof uart.received, 0);
            if (count > 0) {
                uart.received_first = 0;
                uart.received_end = (size_t)count;
            } else if (count == 0 || errno != EINTR) {
                wait_for_client();
            }
        }
    }
    feed();
}

static void on_output(avr_irq_t *irq, uint32_t value, void *parameter) {
    (void)irq;
    (void)parameter;
    note('>', (uint8_t)value);
    uart.sent[uart.sent_bytes++] = (char)value;
    if (value == '\n' || uart.sent_bytes == sizeof uart.sent) {
        flush();
    }
}

static void on_xon(avr_irq_t *irq, uint32_t value, void *parameter) {
    (void)irq;
    (void)value;
    (void)parameter;
    uart.accepts = true;
    feed();
}

static void on_xoff(avr_irq_t *irq, uint32_t value, void *parameter) {
    (void)irq;
    (void)value;
    (void)parameter;
    uart.accepts = false;
}

/* The core sleeps until its next timer; simulated time jumps there. While bytes come and go that is all; on an idle line
 * it passes as the host's does, or what the firmware does after so many seconds would come too soon. */
static void on_sleep(avr_t *avr, avr_cycle_count_t cycles) {
    const uint64_t simulated_ms = (avr->cycle + cycles - uart.byte_cycle) * 1000U / avr->frequency;
    const uint64_t passed_ms = now_ms() - uart.byte_ms;
    exchange(simulated_ms > passed_ms + AHEAD_MS ? (int)(simulated_ms - passed_ms) : 0);
}

static void connect_uart(avr_t *avr) {
    uint32_t flags = 0;
    avr_ioctl(avr, AVR_IOCTL_UART_GET_FLAGS('0'), &flags);
    flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    avr_irq_t *const irqs = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    if (!irqs) {
        fail("MCU", "has no UART 0");
    }
    uart.input = irqs + UART_IRQ_INPUT;
    avr_irq_register_notify(irqs + UART_IRQ_OUTPUT, on_output, NULL);
    avr_irq_register_notify(irqs + UART_IRQ_OUT_XON, on_xon, NULL);
    avr_irq_register_notify(irqs + UART_IRQ_OUT_XOFF, on_xoff, NULL);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fail("usage", "simavr MCU HZ ELF FD");
    }
    elf_firmware_t firmware;
    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(argv[3], &firmware) != 0) {
        fail(argv[3], "cannot be loaded");
    }
    avr_t *const avr = avr_make_mcu_by_name(argv[1]);
    if (!avr) {
        fail(argv[1], "libsimavr does not know this MCU");
    }
    avr_init(avr);
    firmware.frequency = (uint32_t)strtoul(argv[2], NULL, 10);
    avr_load_firmware(avr, &firmware);
    avr->sleep = on_sleep;
    connect_uart(avr);
    uart.avr = avr;
    const char *const log = getenv("TINYPROOF_UART_LOG");
    if (log) {
        uart.log = fopen(log, "w");
        if (!uart.log) {
            fail(log, strerror(errno));
        }
        (void)setvbuf(uart.log, NULL, _IOLBF, BUFSIZ); /* this program ends by a signal */
    }
    uart.listener = (int)strtol(argv[4], NULL, 10);
    wait_for_client();
    for (unsigned step = 0;; step++) {
        const int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed) {
            flush();
            fail(argv[3], state == cpu_Done ? "the firmware has stopped for ever" : "the firmware has crashed");
        }
        if (step == STEPS_PER_POLL) {
            exchange(0);
            step = 0;
        }
    }
}
