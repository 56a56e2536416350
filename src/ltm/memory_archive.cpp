#include "ltm/memory_archive.hpp"

namespace maas::ltm {

void count_known(const ArchivedMemory& written, const ArchivedMemory& known, Imported& imported) {
  if (known.is_gone) {
    const bool is_same = written.is_gone && written.history.size() == known.history.size();
    ++(is_same ? imported.known : imported.kept);
  } else if (written.is_gone || written.memory.version > known.memory.version) {
    ++imported.newer;  // what is gone never comes back: it is so since
  } else {
    ++(written.memory.version == known.memory.version ? imported.known : imported.kept);
  }
}

bool keeps_vector(const ArchivedMemory& memory, const VectorSpace& space) {
  return !memory.vector.empty() && (space.dims == 0 || memory.vector.size() == space.dims);
}

}  // namespace maas::ltm
