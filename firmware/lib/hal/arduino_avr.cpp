// SPDX-License-Identifier: Apache-2.0
// AVR Arduinos: Timer1 counts every cycle of the core (ATmega328P data sheet, chapter 16), and the core sleeps while it
// waits for a byte.
//
// Its sixteen bits overflow every 65,536 cycles, and the interrupt that counts this takes time itself: hal_ticks leaves
// it out, so that what is measured is what the measured code costs.
#include <Arduino.h>
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <util/delay_basic.h>

#include "arduino.h"
#include "hal.h"

namespace {

constexpr uint16_t turns = 100; // of a loop of four cycles each: short, and longer than the interrupt

volatile uint16_t overflows;
uint16_t interrupt_cycles;

// Cycles of the same loop, with or without an overflow in its middle. Never inlined: then it is the same code, too.
__attribute__((noinline)) uint16_t loop_cycles(uint16_t start) {
    TCNT1 = start;
    _delay_loop_2(turns);
    return TCNT1 - start;
}

} // namespace

ISR(TIMER1_OVF_vect) {
    overflows = static_cast<uint16_t>(overflows + 1U);
}

void arduino_init(void) {
    TIMSK0 = 0; // the tick of millis() would be counted in; nothing here asks the time
    TCCR1A = 0;
    TCCR1B = _BV(CS10); // the core's clock, undivided
    TIMSK1 = _BV(TOIE1);
    const uint16_t undisturbed = loop_cycles(0);
    const uint16_t disturbed = loop_cycles(static_cast<uint16_t>(0U - 2U * turns));
    interrupt_cycles = static_cast<uint16_t>(disturbed - undisturbed);
}

__attribute__((noinline)) uint32_t hal_ticks(void) {
    const uint8_t enabled = SREG;
    cli();
    const uint16_t low = TCNT1;
    const uint16_t counted = overflows;
    // An overflow just before, whose interrupt is still to come.
    const uint16_t pending = (TIFR1 & _BV(TOV1)) && low < 0x8000U ? 1U : 0U;
    SREG = enabled;
    const uint32_t high = static_cast<uint16_t>(counted + pending);
    return ((high << 16) | low) - static_cast<uint32_t>(counted) * interrupt_cycles;
}

const uint32_t arduino_ticks_per_s = F_CPU;

// Sixteenths and eighths of the core's clock (chapter 19.3.1): a whole number of them, or the receiver samples beside.
bool arduino_makes_baud(uint32_t baud) {
    constexpr uint32_t fastest = F_CPU / 8U;
    return baud >= ARDUINO_BASE_BAUD && baud <= fastest && fastest % baud == 0;
}

void arduino_set_baud(uint32_t baud) {
    Serial.begin(baud);
}

namespace {

constexpr uint8_t paint = 0xC5;
constexpr uint8_t spare_bytes = 16; // below the frame of the one that paints

} // namespace

extern "C" uint8_t __heap_start[]; // what the linker placed ends here, and nothing here takes from a heap

void hal_stack_paint(void) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a register holds the address
    const volatile uint8_t *const here = reinterpret_cast<const volatile uint8_t *>(SP) - spare_bytes;
    for (volatile uint8_t *byte = __heap_start; byte < here; byte++) {
        *byte = paint;
    }
}

uint32_t hal_stack_used(void) {
    const volatile uint8_t *byte = __heap_start;
    while (*byte == paint) {
        byte++;
    }
    return static_cast<uint32_t>(RAMEND + 1U - reinterpret_cast<uintptr_t>(byte));
}

// Called by hal_read while there is nothing to read. An interrupt between the question and the sleep is not missed:
// the instruction after sei is executed before any interrupt.
void yield(void) {
    cli();
    if (!Serial.available()) {
        sleep_enable();
        sei();
        sleep_cpu();
        sleep_disable();
    }
    sei();
}
