#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct _bson_t;  // the driver's bson_t

namespace maas::ltm {

// Whether BSON can hold it as a text: valid UTF-8, which may hold NUL.
bool is_bson_text(std::string_view text);

// One BSON document on its way to a MongoDB server. Keys come in the order in which they were set.
class Document {
 public:
  Document();
  Document(const Document& other);
  Document(Document&&) noexcept = default;
  Document& operator=(Document&&) noexcept = default;
  ~Document() = default;

  // Each sets a key that wasn't set before. Texts are valid UTF-8 and may hold NUL; keys hold none.
  Document& set(std::string_view key, std::string_view text);
  Document& set(std::string_view key, const std::string& text);
  Document& set(std::string_view key, const char* text);
  Document& set(std::string_view key, std::same_as<bool> auto value) {
    return set_bool(key, value);
  }
  Document& set(std::string_view key, int value);  // int32, as most commands want their numbers
  Document& set(std::string_view key, std::int64_t value);
  Document& set(std::string_view key, const Document& value);
  Document& set(std::string_view key, std::span<const Document> values);
  Document& set(std::string_view key, std::span<const std::string> texts);
  Document& set(std::string_view key, std::span<const std::int64_t> numbers);
  // As an array of doubles: a float goes there and back as it was, and every server knows them.
  Document& set(std::string_view key, std::span<const float> vector);

  bool empty() const;
  const _bson_t* get() const { return bson_.get(); }
  // As MongoDB's relaxed extended JSON.
  std::string json() const;

 private:
  struct Destroy {
    void operator()(_bson_t* bson) const;
  };

  Document& set_bool(std::string_view key, bool value);

  std::unique_ptr<_bson_t, Destroy> bson_;
};

}  // namespace maas::ltm
