/* SPDX-License-Identifier: Apache-2.0
 * Whether the generated code brings the tables and calls of kernels_mve/, which the include path of cores with MVE has.
 */
#ifndef TINYPROOF_KERNELS_MVE_TABLES_H
#define TINYPROOF_KERNELS_MVE_TABLES_H

#define KERNELS_MVE 0

#endif
