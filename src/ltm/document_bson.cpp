#include "ltm/document_bson.hpp"

#include "core/error.hpp"

#include <bson/bson.h>
#include <cstddef>
#include <utility>

namespace maas::ltm {
namespace {

int length(std::string_view text) { return static_cast<int>(text.size()); }

// BSON documents end at 2 GB, far behind what a server takes.
void check(bool appended) {
  if (!appended) throw Error(Errc::too_large, "The memory is too large for MongoDB");
}

// Sets the elements of an array; `append(array, index, key)` appends one.
template <class Append>
void append_elements(bson_t* array, std::size_t count, Append append) {
  for (std::size_t i = 0; i < count; ++i) {
    char buffer[16];
    const char* index = nullptr;
    const std::size_t size =
        bson_uint32_to_string(static_cast<std::uint32_t>(i), &index, buffer, sizeof(buffer));
    check(append(array, std::string_view(index, size), i));
  }
}

template <class Append>
void append_array(bson_t* bson, std::string_view key, std::size_t count, Append append) {
  bson_t array;
  check(bson_append_array_begin(bson, key.data(), length(key), &array));
  append_elements(&array, count, append);
  check(bson_append_array_end(bson, &array));
}

}  // namespace

bool is_bson_text(std::string_view text) {
  return bson_utf8_validate(text.data(), text.size(), true);
}

void Document::Destroy::operator()(_bson_t* bson) const { bson_destroy(bson); }

Document::Document() : bson_(bson_new()) {}
Document::Document(const Document& other) : bson_(bson_copy(other.get())) {}

Document& Document::set(std::string_view key, std::string_view text) {
  check(bson_append_utf8(bson_.get(), key.data(), length(key), text.data(), length(text)));
  return *this;
}

Document& Document::set(std::string_view key, const std::string& text) {
  return set(key, std::string_view(text));
}

Document& Document::set(std::string_view key, const char* text) {
  return set(key, std::string_view(text));
}

Document& Document::set_bool(std::string_view key, bool value) {
  check(bson_append_bool(bson_.get(), key.data(), length(key), value));
  return *this;
}

Document& Document::set(std::string_view key, int value) {
  check(bson_append_int32(bson_.get(), key.data(), length(key), value));
  return *this;
}

Document& Document::set(std::string_view key, std::int64_t value) {
  check(bson_append_int64(bson_.get(), key.data(), length(key), value));
  return *this;
}

Document& Document::set(std::string_view key, const Document& value) {
  check(bson_append_document(bson_.get(), key.data(), length(key), value.get()));
  return *this;
}

Document& Document::set(std::string_view key, std::span<const Document> values) {
  append_array(bson_.get(), key, values.size(),
               [values](bson_t* array, std::string_view index, std::size_t i) {
                 return bson_append_document(array, index.data(), length(index), values[i].get());
               });
  return *this;
}

Document& Document::set(std::string_view key, std::span<const std::string> texts) {
  append_array(bson_.get(), key, texts.size(),
               [texts](bson_t* array, std::string_view index, std::size_t i) {
                 return bson_append_utf8(array, index.data(), length(index), texts[i].data(),
                                         length(texts[i]));
               });
  return *this;
}

Document& Document::set(std::string_view key, std::span<const std::int64_t> numbers) {
  append_array(bson_.get(), key, numbers.size(),
               [numbers](bson_t* array, std::string_view index, std::size_t i) {
                 return bson_append_int64(array, index.data(), length(index), numbers[i]);
               });
  return *this;
}

Document& Document::set(std::string_view key, std::span<const float> vector) {
  // Kept by each thread for the next of the same length: to make the keys "0", "1", … anew takes
  // most of the time that a search needs to tell a server its vector.
  static thread_local Document array;
  static thread_local std::size_t size = 0;
  if (size != vector.size()) {
    Document zeros;
    append_elements(zeros.bson_.get(), vector.size(),
                    [](bson_t* to, std::string_view index, std::size_t) {
                      return bson_append_double(to, index.data(), length(index), 0);
                    });
    array = std::move(zeros);
    size = vector.size();
  }
  bson_iter_t element;
  check(bson_iter_init(&element, array.bson_.get()));
  for (const float value : vector) {
    bson_iter_next(&element);
    bson_iter_overwrite_double(&element, value);
  }
  check(bson_append_array(bson_.get(), key.data(), length(key), array.get()));
  return *this;
}

bool Document::empty() const { return bson_empty(bson_.get()); }

std::string Document::json() const {
  std::size_t size = 0;
  char* text = bson_as_relaxed_extended_json(bson_.get(), &size);
  if (!text) return {};
  std::string json(text, size);
  bson_free(text);
  return json;
}

}  // namespace maas::ltm
