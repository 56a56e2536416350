#pragma once

#include "core/error.hpp"

#include <gtest/gtest.h>

namespace maas::test {

// What kind of Error `run` ends with; a failure of the test if it ends without one.
template <class F>
Errc failure_of(F run) {
  try {
    run();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no Error";
  return Errc::internal;
}

}  // namespace maas::test
