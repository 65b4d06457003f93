#include "fiber.hpp"

#include <exception>
#include <utility>
#include <vector>

namespace flashsale::model {

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;
fiber* running = nullptr;
std::vector<std::unique_ptr<char[]>> free_stacks;

std::unique_ptr<char[]> take_stack() {
    if (free_stacks.empty()) return std::make_unique_for_overwrite<char[]>(stack_bytes);
    auto out = std::move(free_stacks.back());
    free_stacks.pop_back();
    return out;
}

}  // namespace

fiber::fiber(std::function<void()> body) : body_(std::move(body)), stack_(take_stack()) {
    getcontext(&here_);
    here_.uc_stack.ss_sp = stack_.get();
    here_.uc_stack.ss_size = stack_bytes;
    here_.uc_link = nullptr;
    makecontext(&here_, &fiber::enter, 0);
}

fiber::~fiber() {
    kill();
    free_stacks.push_back(std::move(stack_));
}

fiber* fiber::current() {
    return running;
}

void fiber::enter() {
    fiber& self = *running;
    try {
        self.body_();
    } catch (const killed&) {
    }
    self.ended_ = true;
    setcontext(&self.caller_);
}

void fiber::resume() {
    if (ended_) return;
    started_ = true;
    outer_ = std::exchange(running, this);
    swapcontext(&caller_, &here_);
    running = outer_;
}

void fiber::block() {
    fiber& self = *running;
    if (self.dying_ && std::uncaught_exceptions() > 0) return;
    if (!self.dying_) swapcontext(&self.here_, &self.caller_);
    if (self.dying_) throw killed{};
}

void fiber::kill() {
    if (ended_) return;
    dying_ = true;
    if (started_) {
        resume();
    } else {
        ended_ = true;
    }
}

}  // namespace flashsale::model
