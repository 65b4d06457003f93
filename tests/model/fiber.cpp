#include "fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <utility>
#include <vector>

namespace flashsale::model {

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;
fiber* running = nullptr;
std::vector<char*> free_stacks;

/// The page below it cannot be written to, so that an overflow ends the run and harms nothing else.
char* make_stack() {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* const all = ::mmap(nullptr, page + stack_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (all == MAP_FAILED || ::mprotect(all, page, PROT_NONE) != 0) throw std::bad_alloc();
    return static_cast<char*>(all) + page;
}

/// They are used again, and never given back.
char* take_stack() {
    if (free_stacks.empty()) return make_stack();
    char* const out = free_stacks.back();
    free_stacks.pop_back();
    return out;
}

}  // namespace

fiber::fiber(std::function<void()> body) : body_(std::move(body)), stack_(take_stack()) {
    getcontext(&here_);
    here_.uc_stack.ss_sp = stack_;
    here_.uc_stack.ss_size = stack_bytes;
    here_.uc_link = nullptr;
    makecontext(&here_, &fiber::enter, 0);
}

fiber::~fiber() {
    kill();
    free_stacks.push_back(stack_);
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
