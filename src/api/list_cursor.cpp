#include "api/list_cursor.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace maas::api {
namespace {

constexpr int kBase = 36;
constexpr char kBetween = '_';

void append(std::string& out, std::int64_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, kBase).ptr;
  out.append(digits.data(), end);
}

std::optional<std::int64_t> read(std::string_view digits) {
  std::int64_t number = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, number, kBase);
  if (error != std::errc{} || end != last) return std::nullopt;
  return number;
}

}  // namespace

std::string to_cursor(const ltm::ListPosition& position) {
  std::string cursor;
  append(cursor, position.created_at.time_since_epoch().count());
  cursor += kBetween;
  append(cursor, position.sequence);
  return cursor;
}

std::optional<ltm::ListPosition> from_cursor(std::string_view cursor) {
  const std::size_t between = cursor.find(kBetween);
  if (between == cursor.npos) return std::nullopt;
  const auto micros = read(cursor.substr(0, between));
  const auto sequence = read(cursor.substr(between + 1));
  if (!micros || !sequence) return std::nullopt;
  return ltm::ListPosition{.created_at = Timestamp(std::chrono::microseconds(*micros)),
                           .sequence = *sequence};
}

}  // namespace maas::api
