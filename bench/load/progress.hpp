#pragma once

#include <string_view>

namespace flashsale::bench {

/// One line on stderr that is written over; nothing at all if that is no terminal.
class progress_line {
public:
    progress_line();
    ~progress_line() { clear(); }
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void show(std::string_view text);
    void clear();

private:
    bool terminal_;
    bool shown_ = false;
};

}  // namespace flashsale::bench
