#include "ltm/memory_archive.hpp"

namespace maas::ltm {

bool keeps_vector(const ArchivedMemory& memory, const VectorSpace& space) {
  return !memory.vector.empty() && (space.dims == 0 || memory.vector.size() == space.dims);
}

}  // namespace maas::ltm
