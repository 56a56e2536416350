#include "text/piece_splitter.hpp"

#include "core/error.hpp"
#include "text/split_pattern.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace maas::text {
namespace {

[[noreturn]] void fail(const char* what, int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  throw Error(Errc::internal, "Counting tokens failed.",
              std::string(what) + ": " + reinterpret_cast<const char*>(text));
}

// What a thread needs for its matches; made at its first.
class MatchMemory {
 public:
  MatchMemory()
      : result_(pcre2_match_data_create(1, nullptr)), limits_(pcre2_match_context_create(nullptr)) {
    if (!result_ || !limits_) throw std::bad_alloc();
    // The limits count steps of the interpreter, which takes over where the JIT can't. The patterns
    // have no nested repeats, so the steps grow no faster than the text.
    pcre2_set_match_limit(limits_.get(), std::numeric_limits<std::uint32_t>::max());
    pcre2_set_depth_limit(limits_.get(), std::numeric_limits<std::uint32_t>::max());
    pcre2_set_heap_limit(limits_.get(), std::numeric_limits<std::uint32_t>::max());
  }

  pcre2_match_data* result() const { return result_.get(); }
  pcre2_match_context* limits() const { return limits_.get(); }

 private:
  struct Free {
    void operator()(pcre2_match_data* result) const { pcre2_match_data_free(result); }
    void operator()(pcre2_match_context* limits) const { pcre2_match_context_free(limits); }
  };

  std::unique_ptr<pcre2_match_data, Free> result_;
  std::unique_ptr<pcre2_match_context, Free> limits_;
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// The end of the piece at `start` if that is a plain ASCII word, which both patterns see alike and
// which takes a tenth of the time this way. Else `start`: what begins otherwise, or has an
// apostrophe, a capital or a byte of another script next, is for the pattern to tell.
std::size_t ascii_word_end(std::string_view text, std::size_t start) {
  std::size_t end = start;
  if (text[end] == ' ') ++end;
  const std::size_t first_letter = end;
  while (end < text.size() && is_upper(text[end])) ++end;
  while (end < text.size() && is_lower(text[end])) ++end;
  if (end == first_letter) return start;
  if (end == text.size()) return end;
  const auto next = static_cast<unsigned char>(text[end]);
  return next >= 0x80 || next == '\'' || is_upper(text[end]) ? start : end;
}

}  // namespace

PieceSplitter::PieceSplitter(Encoding encoding, Engine engine) : engine_(engine) {
  const std::string pattern = split_pattern(encoding);
  int error = 0;
  PCRE2_SIZE offset = 0;
  // Anchored: were there a character that starts no piece, skipping it would give a wrong count.
  code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                        PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NO_START_OPTIMIZE, &error,
                        &offset, nullptr);
  if (!code_) fail("pcre2_compile", error);
  if (engine_ == Engine::jit && pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE) != 0) {
    engine_ = Engine::interpreter;
  }
}

PieceSplitter::~PieceSplitter() { pcre2_code_free(code_); }

std::size_t PieceSplitter::piece_end(std::string_view text, std::size_t start) const {
  const std::size_t word_end = ascii_word_end(text, start);
  return word_end > start ? word_end : match(text, start);
}

std::size_t PieceSplitter::match(std::string_view text, std::size_t start) const {
  thread_local const MatchMemory memory;
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  int code = PCRE2_ERROR_JIT_STACKLIMIT;
  if (engine_ == Engine::jit) {
    code = pcre2_jit_match(code_, subject, text.size(), start, PCRE2_NO_UTF_CHECK, memory.result(),
                           nullptr);
  }
  if (code == PCRE2_ERROR_JIT_STACKLIMIT) {
    code = pcre2_match(code_, subject, text.size(), start, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                       memory.result(), memory.limits());
  }
  if (code < 0) fail("pcre2_match", code);
  const std::size_t end = pcre2_get_ovector_pointer(memory.result())[1];
  if (end <= start || end > text.size()) {
    throw Error(Errc::internal, "Counting tokens failed.", "pcre2_match: an empty piece");
  }
  return end;
}

}  // namespace maas::text
