#pragma once

#include <cstddef>
#include <cstdio>
#include <unistd.h>

namespace maas {

// Tells on stderr how far a command is: on a terminal in one line, elsewhere in a line now and
// then.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what) {}

  void tell(std::size_t count) {
    if (terminal_) {
      std::fprintf(stderr, "\r%zu memories %s", count, what_);
    } else if (count >= next_) {
      std::fprintf(stderr, "%zu memories %s\n", count, what_);
      next_ = count + kBetweenLines;
    }
  }
  // Ends the line on a terminal.
  void end() const {
    if (terminal_) std::fprintf(stderr, "\n");
  }

 private:
  static constexpr std::size_t kBetweenLines = 10'000;
  const char* what_;
  bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::size_t next_ = kBetweenLines;
};

}  // namespace maas
