/* SPDX-License-Identifier: Apache-2.0
 * A plugin of QEMU's that counts what a core executes within chosen functions, instruction by instruction:
 *
 *   -plugin FILE,out=PATH,entry=0xADDRESS[,entry=...]
 *
 * Whenever one of the functions returns to its caller, PATH gains a block: a line `entry ADDRESS`, then for each
 * instruction that ran since the call `ADDRESS EXECUTED ENTERED LEFT PERFORMED SPLIT` (the address in hexadecimal):
 *   ENTERED    how often not from the instruction that stands before it
 *   LEFT       how often to another one than that which stands behind it: a branch that was taken
 *   PERFORMED  how often it reached memory, which one that was skipped by its condition does not
 *   SPLIT      bus accesses beyond the first that addresses off their natural alignment need
 * What the functions call counts as theirs. Nothing here knows the core: what an instruction costs is the reader's.
 *
 * Debian has no package with the header of the plugins' interface; these few declarations are as its documentation
 * gives them, and have not changed between its versions 1 and 4.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };

#define EXPORTED __attribute__((visibility("default")))
extern EXPORTED int qemu_plugin_version;
extern EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count, char **arguments);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t id, struct qemu_plugin_tb *block));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
                                            void (*callback)(unsigned core, void *data),
                                            enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
                                      void (*callback)(unsigned core, qemu_plugin_meminfo_t access, uint64_t address,
                                                       void *data),
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw kind, void *data);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t access);

int qemu_plugin_version = QEMU_PLUGIN_API; /* the compiler's command line says which the emulator takes */

#define ENTRIES 4096
#define SLOTS (1U << 18) /* of a hash table over addresses */

struct instruction {
    uint64_t address;
    uint64_t executed, entered, left, performed, split;
    struct instruction *next_counted; /* of those that ran in this call */
    uint8_t bytes;
    bool is_entry;
    bool reached_memory; /* in its latest execution */
};

static struct {
    FILE *out;
    uint64_t entries[ENTRIES];
    size_t entry_count;
    struct instruction *slots[SLOTS];
    size_t used;
    const struct instruction *entry;    /* of the call that is being counted, NULL outside of all */
    uint64_t return_address;            /* where that call comes back to */
    struct instruction *counted;        /* a list */
    struct instruction *previous;       /* what ran last */
} counts;

static void give_up(const char *why) {
    (void)fprintf(stderr, "instruction_counts: %s\n", why);
    exit(1);
}

static bool is_entry(uint64_t address) {
    for (size_t i = 0; i < counts.entry_count; i++) {
        if (counts.entries[i] == address) {
            return true;
        }
    }
    return false;
}

/* The one record of an address: an instruction may be translated many times. */
static struct instruction *record_of(uint64_t address, size_t bytes) {
    size_t slot = (size_t)(address >> 1U) % SLOTS;
    while (counts.slots[slot] != NULL && counts.slots[slot]->address != address) {
        slot = (slot + 1U) % SLOTS;
    }
    if (counts.slots[slot] == NULL) {
        struct instruction *const made = calloc(1, sizeof *made);
        if (made == NULL || ++counts.used >= SLOTS) {
            give_up("too many instructions");
            return NULL;
        }
        made->address = address;
        made->is_entry = is_entry(address);
        counts.slots[slot] = made;
    }
    counts.slots[slot]->bytes = (uint8_t)bytes;
    return counts.slots[slot];
}

/* The call has returned: its block is written, and everything is at zero again. */
static void finish(void) {
    (void)fprintf(counts.out, "entry %" PRIx64 "\n", counts.entry->address);
    for (struct instruction *one = counts.counted; one != NULL;) {
        (void)fprintf(counts.out, "%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                      one->address, one->executed, one->entered, one->left, one->performed, one->split);
        struct instruction *const next = one->next_counted;
        one->executed = one->entered = one->left = one->performed = one->split = 0;
        one->next_counted = NULL;
        one = next;
    }
    if (fflush(counts.out) != 0 || ferror(counts.out)) {
        give_up("the counts cannot be written");
    }
    counts.counted = NULL;
    counts.entry = NULL;
}

static void executes(unsigned core, void *data) {
    (void)core;
    struct instruction *const now = data;
    struct instruction *const previous = counts.previous;
    counts.previous = now;
    const bool jumped = previous == NULL || previous->address + previous->bytes != now->address;
    if (counts.entry != NULL && previous != NULL) {
        previous->left += jumped ? 1U : 0U;
        if (now->address == counts.return_address) {
            finish();
        }
    }
    if (counts.entry == NULL) {
        if (!now->is_entry || previous == NULL) {
            return;
        }
        counts.entry = now;
        counts.return_address = previous->address + previous->bytes;
    }
    if (now->executed++ == 0) {
        now->next_counted = counts.counted;
        counts.counted = now;
    }
    now->entered += jumped ? 1U : 0U;
    now->reached_memory = false;
}

static void accesses(unsigned core, qemu_plugin_meminfo_t access, uint64_t address, void *data) {
    (void)core;
    struct instruction *const now = data;
    if (counts.entry == NULL) {
        return;
    }
    if (!now->reached_memory) {
        now->reached_memory = true;
        now->performed++;
    }
    /* A bus of 32 bits takes naturally aligned pieces: a word at an odd address goes as byte, halfword and byte. */
    const unsigned shift = qemu_plugin_mem_size_shift(access);
    if (shift == 1U) {
        now->split += address & 1U;
    } else if (shift >= 2U) {
        now->split += (address & 1U) != 0U ? 2U : (address >> 1U) & 1U;
    }
}

static void translates(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *const instruction = qemu_plugin_tb_get_insn(block, i);
        struct instruction *const record =
            record_of(qemu_plugin_insn_vaddr(instruction), qemu_plugin_insn_size(instruction));
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, executes, QEMU_PLUGIN_CB_NO_REGS, record);
        qemu_plugin_register_vcpu_mem_cb(instruction, accesses, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, record);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count, char **arguments) {
    (void)info;
    for (int i = 0; i < count; i++) {
        if (strncmp(arguments[i], "out=", 4) == 0) {
            counts.out = fopen(arguments[i] + 4, "we");
        } else if (strncmp(arguments[i], "entry=", 6) == 0 && counts.entry_count < ENTRIES) {
            counts.entries[counts.entry_count++] = strtoull(arguments[i] + 6, NULL, 16);
        } else {
            (void)fprintf(stderr, "instruction_counts: unknown argument %s\n", arguments[i]);
            return 1;
        }
    }
    if (counts.out == NULL || counts.entry_count == 0) {
        (void)fprintf(stderr, "instruction_counts: needs out=FILE that can be written, and entry=ADDRESS\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translates);
    return 0;
}
