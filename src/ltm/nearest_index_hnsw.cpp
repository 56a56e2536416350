#include "ltm/byte_vector.hpp"
#include "ltm/nearest_index.hpp"

// Its prefetching reads past the end of lists; its own distance functions aren't needed here.
#define NO_MANUAL_VECTORIZATION
#include <algorithm>
#include <hnswlib/hnswlib.h>

namespace maas::ltm {
namespace {

constexpr std::size_t kLinks = 16;          // M
constexpr std::size_t kBuildBreadth = 100;  // efConstruction
// Vectors looked at per vector asked for, and at least: what recall costs.
constexpr std::size_t kBreadthFactor = 2;
constexpr std::size_t kLeastBreadth = 400;
constexpr std::size_t kFirstCapacity = 1024;

class ByteSpace final : public hnswlib::SpaceInterface<float> {
 public:
  explicit ByteSpace(std::size_t dims) : dims_(dims) {}
  std::size_t get_data_size() override { return byte_vector_size(dims_); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
  void* get_dist_func_param() override { return &dims_; }

 private:
  static float distance(const void* a, const void* b, const void* dims) {
    return 1 - byte_dot(static_cast<const std::byte*>(a), static_cast<const std::byte*>(b),
                        *static_cast<const std::size_t*>(dims));
  }

  std::size_t dims_;
};

class HnswIndex final : public NearestIndex {
 public:
  explicit HnswIndex(std::size_t dims)
      : space_(dims), graph_(&space_, kFirstCapacity, kLinks, kBuildBreadth) {}

  void put(Slot slot, std::span<const float> vector) override {
    if (graph_.getCurrentElementCount() == graph_.getMaxElements()) {
      graph_.resizeIndex(graph_.getMaxElements() * 3 / 2);
    }
    graph_.addPoint(in_bytes(vector).data(), slot);
    if (present_.size() <= slot) present_.resize(slot + 1);
    present_[slot] = true;
  }

  void remove(Slot slot) override {
    if (slot >= present_.size() || !present_[slot]) return;
    graph_.markDelete(slot);
    present_[slot] = false;
  }

  std::vector<Slot> nearest(std::span<const float> query, std::size_t count) const override {
    std::vector<Slot> slots;
    // The breadth of a search is a member of the graph; asking for more than is needed sets it too.
    auto found =
        graph_.searchKnn(in_bytes(query).data(), std::max(kBreadthFactor * count, kLeastBreadth));
    while (found.size() > count) found.pop();  // the farthest first
    slots.reserve(found.size());
    for (; !found.empty(); found.pop()) slots.push_back(static_cast<Slot>(found.top().second));
    return slots;
  }

  std::size_t bytes() const override {
    constexpr std::size_t kElement = sizeof(std::mutex) + 48 + 16;  // its lock and table entries
    return graph_.max_elements_ * (graph_.size_data_per_element_ + kElement);
  }

 private:
  static std::vector<std::byte> in_bytes(std::span<const float> vector) {
    std::vector<std::byte> bytes(byte_vector_size(vector.size()));
    write_byte_vector(vector, 1, bytes.data());
    return bytes;
  }

  ByteSpace space_;
  mutable hnswlib::HierarchicalNSW<float> graph_;  // its getters are not const
  std::vector<bool> present_;
};

}  // namespace

std::unique_ptr<NearestIndex> make_hnsw_index(std::size_t dims) {
  return std::make_unique<HnswIndex>(dims);
}

}  // namespace maas::ltm
