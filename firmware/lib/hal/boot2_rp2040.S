/* SPDX-License-Identifier: Apache-2.0
 * Second stage of the RP2040's start. Its ROM copies the first 256 bytes of the flash to the end of the SRAM, compares
 * their checksum, and jumps there (RP2040 Datasheet 2.8.1): this sets the flash interface up, so that the flash can be
 * read in place, and goes on by the vector table behind it. Every flash chip knows the command 03h, one bit at a time.
 */
.syntax unified
.cpu cortex-m0plus
.thumb

.equ SSI_BASE, 0x18000000           /* 4.10.13 */
.equ SSI_CTRLR0, 0x00
.equ SSI_CTRLR1, 0x04
.equ SSI_SSIENR, 0x08
.equ SSI_BAUDR, 0x14
.equ CLOCK_DIVISOR, 4               /* of 125 MHz: 31 MHz, which command 03h bears on any chip */
.equ FRAMES_OF_32_BITS_EEPROM_READ, (31 << 16) | (3 << 8)
.equ COMMAND_03_ADDRESS_24_BITS, (0x03 << 24) | (2 << 8) | (6 << 2)
.equ VTOR, 0xE000ED08
.equ VECTORS, 0x10000100

.section .boot2, "ax"
.global boot2
.type boot2, %function
.thumb_func
boot2:
    ldr r3, =SSI_BASE
    movs r0, #0
    str r0, [r3, #SSI_SSIENR]       /* it is set while it is off */
    movs r0, #CLOCK_DIVISOR
    str r0, [r3, #SSI_BAUDR]
    ldr r0, =FRAMES_OF_32_BITS_EEPROM_READ
    str r0, [r3, #SSI_CTRLR0]
    movs r0, #0
    str r0, [r3, #SSI_CTRLR1]       /* one frame a read */
    ldr r0, =COMMAND_03_ADDRESS_24_BITS
    ldr r1, =SSI_BASE + 0xF4        /* SPI_CTRLR0 */
    str r0, [r1]
    movs r0, #1
    str r0, [r3, #SSI_SSIENR]
    ldr r0, =VECTORS
    ldr r1, =VTOR
    str r0, [r1]
    ldm r0, {r0, r1}
    msr msp, r0
    bx r1
    .pool

    .org 252
    .word 0xBED2932E                /* CRC-32 of the 252 bytes before: 0x04C11DB7, begun with ones, as 2.8.1.3.1 asks */
