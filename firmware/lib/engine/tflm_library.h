/* SPDX-License-Identifier: Apache-2.0
 * The headers of TFLite Micro. Their warnings are not ours to mend, and everything that a system header includes
 * counts as one.
 */
#ifndef TINYPROOF_TFLM_LIBRARY_H
#define TINYPROOF_TFLM_LIBRARY_H
#pragma GCC system_header

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#endif
