#pragma once

// Where something may strike a process.

#include <string_view>

namespace flashsale::model {

class process;

/// A point of the protocol: something may strike there, at once or in a moment. What strikes a fiber
/// at once does so before it goes on.
void reach(process& of, std::string_view where);

/// The same, for code that cannot be suspended. True: something strikes.
bool strikes(process& of, std::string_view where);

/// Between a question of recovery and its next: there are many, so each more seldom.
void reach_on_the_way(process& of);

}  // namespace flashsale::model
