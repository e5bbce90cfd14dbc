#include "core/fail_point.h"

namespace leat {

// A file of its own, and never part of a larger one: only then does a program that brings another FailPoint not take
// this one from the library.
void FailPoint(const char*) {}

}  // namespace leat
