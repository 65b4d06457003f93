#pragma once

// A thread of a process under test, run by the simulation: it has a stack of its own, runs until it
// would block, and is resumed when what it waits for has come. So code that blocks runs as it is,
// and one thing happens at a time.

#include <ucontext.h>

#include <functional>

namespace flashsale::model {

class fiber {
public:
    explicit fiber(std::function<void()> body);
    ~fiber();
    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;

    /// The one that is running; null outside of all.
    static fiber* current();

    /// Runs it until it blocks or ends.
    void resume();
    /// Of the current one: back to where it was resumed. Throws `killed` if it was killed
    /// meanwhile.
    static void block();

    struct killed {};
    /// Its process is dead: the stack is unwound, and nothing on it runs any further.
    void kill();
    bool ended() const { return ended_; }

private:
    static void enter();

    std::function<void()> body_;
    char* const stack_;
    ucontext_t here_{}, caller_{};
    fiber* outer_ = nullptr;
    bool started_ = false, ended_ = false, dying_ = false;
};

}  // namespace flashsale::model
