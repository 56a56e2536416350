#pragma once

// One binary runs on every machine of its architecture and still uses the widest vectors there
// are: a function marked so is compiled for each, and chosen while loading. Sanitizers' own
// start-up does not get along with that.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__clang__)
#define MAAS_VECTOR_CLONES \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define MAAS_VECTOR_CLONES
#endif
