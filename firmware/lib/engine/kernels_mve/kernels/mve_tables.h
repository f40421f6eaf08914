/* SPDX-License-Identifier: Apache-2.0
 * This folder is on the include path: the generated code brings its tables and calls.
 */
#ifndef TINYPROOF_KERNELS_MVE_TABLES_H
#define TINYPROOF_KERNELS_MVE_TABLES_H

#define KERNELS_MVE 1

#endif
