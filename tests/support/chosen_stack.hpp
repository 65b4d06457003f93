#pragma once

namespace flashsale::test {

/// script/test starts several sets of servers, so that several tests run at a time, and ctest gives
/// each test one of them: its number is in $CTEST_RESOURCE_GROUP_0_STACKS, and what points at its
/// servers in the file $FLASHSALE_STACKS/NUMBER.env, `NAME=value` lines. Puts those into the
/// environment. Without the two variables the environment is as it was: one set of servers, as
/// `script/stack env` prints it. Call it first thing in main(), while there is one thread.
void choose_stack();

}  // namespace flashsale::test
