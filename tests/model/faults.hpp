#pragma once

// Where something may strike a process.

#include <string_view>

namespace flashsale::model {

class process;

/// A point of the protocol. True: something strikes there, now or in a moment.
bool reach(process& of, std::string_view where);

/// Between a question of recovery and its next: there are many, so each more seldom.
void reach_on_the_way(process& of);

}  // namespace flashsale::model
