/* SPDX-License-Identifier: Apache-2.0
 * The little of a C++ runtime that the interpreter refers to, for boards without an operating system or a core of
 * their own. The library's versions would bring in abort, the demangler and stdio.
 */
#include <cstddef>

extern "C" void __cxa_pure_virtual();
extern "C" void abort();

/* A call of a pure virtual function, or a failed assertion: stand still, so that the host times out and says so. */
extern "C" void __cxa_pure_virtual() {
    for (;;) {
    }
}

extern "C" void abort() {
    for (;;) {
    }
}

/* Nothing is ever allocated, so there is nothing to free; deleting destructors refer to these nonetheless. */
/* NOLINTBEGIN(misc-new-delete-overloads,cert-dcl54-cpp): without an operator new by intent */
void operator delete(void * /*place*/) noexcept {
}

void operator delete(void * /*place*/, std::size_t /*bytes*/) noexcept {
}
/* NOLINTEND(misc-new-delete-overloads,cert-dcl54-cpp) */
