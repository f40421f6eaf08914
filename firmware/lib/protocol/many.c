/* SPDX-License-Identifier: Apache-2.0 */
#include "many.h"

#include "crc32.h"
#include "mix32.h"
#include "quantize.h"
#include "verbs.h"

/* By the input's number modulo 4; every eighth has EXTREMES instead of a RAMP. */
enum kind { UNIFORM, NEAR_ZERO_POINT, ONE_ELEMENT, RAMP, EXTREMES };

struct recipe {
    uint32_t key;
    size_t chosen; /* of ONE_ELEMENT: all in turn, from input to input */
    uint8_t kind;
    uint8_t shift; /* of NEAR_ZERO_POINT */
};

static int32_t make_element(const struct engine_tensor *tensor, const struct recipe *recipe, size_t place) {
    int32_t value = (int32_t)mix32((uint32_t)(recipe->key + place));
    switch (recipe->kind) {
    case NEAR_ZERO_POINT:
        value = tensor->zero_point + (value >> recipe->shift);
        if (value < element_low(tensor)) {
            return element_low(tensor);
        }
        return value > element_high(tensor) ? element_high(tensor) : value;
    case ONE_ELEMENT:
        return place == recipe->chosen ? value : tensor->zero_point;
    case RAMP:
        return (int32_t)(uint32_t)(recipe->key + place * (recipe->key >> 24));
    case EXTREMES:
        return value >> 31 ^ element_high(tensor);
    default:
        return value;
    }
}

/* Values are cut to the bytes of their type. */
static void make_input(const struct engine_tensors *inputs, uint32_t seed, uint32_t index) {
    struct recipe recipe = {.key = mix32(mix32(seed) + index)};
    recipe.kind = index % 8U == 7U ? EXTREMES : (uint8_t)(index % 4U);
    size_t elements = 0, place = 0;
    for (uint8_t i = 0; i < inputs->count; i++) {
        elements += (size_t)element_count(&inputs->list[i]);
    }
    if (elements > 0) {
        recipe.chosen = (size_t)(index / 4U % elements);
    }
    for (uint8_t i = 0; i < inputs->count; i++) {
        const struct engine_tensor *const tensor = &inputs->list[i];
        const uint32_t count = element_count(tensor);
        recipe.shift = (uint8_t)(element_bytes(tensor) > 1 ? 16U + recipe.key % 16U : 24U + recipe.key % 8U);
        for (uint32_t j = 0; j < count; j++) {
            element_write(tensor, j, make_element(tensor, &recipe, place++));
        }
    }
}

static uint32_t crc32_of(const struct engine_tensors *tensors, uint32_t crc) {
    for (uint8_t i = 0; i < tensors->count; i++) {
        crc = crc32_over(crc, tensors->list[i].data, tensors->list[i].bytes);
    }
    return crc;
}

enum protocol_error many_run(struct protocol *protocol, uint32_t seed, uint32_t first, uint32_t count,
                             uint32_t *digest) {
    const struct engine *const engine = protocol->engine;
    uint32_t elapsed = 0, all = CRC32_INITIAL;
    if (count < 1 || count > MANY_COUNT) {
        return PROTOCOL_ERROR_RANGE;
    }
    engine_reset();
    for (; count > 0; count--) {
        make_input(&engine->inputs, seed, first++);
        const uint32_t of_input = crc32_of(&engine->inputs, CRC32_INITIAL);
        const enum protocol_error error = verbs_infer(protocol);
        if (error != PROTOCOL_OK) {
            return error;
        }
        elapsed += protocol->run_elapsed;
        const uint32_t of_both = ~crc32_of(&engine->outputs, of_input); /* little-endian, as all boards are */
        all = crc32_over(all, (const int8_t *)&of_both, sizeof of_both);
    }
    protocol->run_elapsed = elapsed;
    *digest = ~all;
    return PROTOCOL_OK;
}
