#include "stalled_leader.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "eventually.hpp"
#include "stack.hpp"

namespace flashsale::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

// In the broker, because a call of rabbitmqctl takes longer than a stall may: it stands for as long
// as there is a file. One hold and one release; after a minute it is over by itself. A channel that
// makes itself known to the leader waits for its answer, and is the caller in that message.
std::string puppet(const std::string& queue, const fs::path& wanted, const fs::path& held,
                   const fs::path& channels_wanted) {
    return "Leader = list_to_existing_atom(\"%2F_" + queue +
           "\"),"
           "true = is_pid(whereis(Leader)),"
           "Until = fun Until(_, 0) -> ok;"
           "            Until(Is, Left) -> case Is() of true -> ok;"
           "                               false -> timer:sleep(5), Until(Is, Left - 1) end end,"
           "There = fun() -> filelib:is_regular(\"" +
           wanted.string() +
           "\") end,"
           "Apart = fun() -> filelib:is_regular(\"" +
           channels_wanted.string() +
           "\") end,"
           "New = fun() -> {messages, All} = process_info(whereis(Leader), messages),"
           "               [P || M = {'$gen_call', {P, _}, _} <- All,"
           "                binary:match(term_to_binary(M), <<\"register_enqueuer\">>) =/= nomatch]"
           "      end,"
           "spawn(fun() -> Until(There, 12000),"
           "               case There() of false -> ok; true ->"
           "                   ok = sys:suspend(Leader), ok = file:write_file(\"" +
           held.string() +
           "\", <<>>),"
           "                   Until(fun() -> not There() end, 12000),"
           "                   Held = case Apart() of true -> New(); false -> [] end,"
           "                   [true = erlang:suspend_process(P) || P <- Held],"
           "                   ok = sys:resume(Leader), ok = file:delete(\"" +
           held.string() +
           "\"),"
           "                   Until(fun() -> not Apart() end, 12000),"
           "                   [catch erlang:resume_process(P) || P <- Held] end end).";
}

}  // namespace

stalled_leader::stalled_leader(const std::string& queue) : queue_(queue) {
    const auto folder = fs::path(std::getenv("FLASHSALE_STACK_DIR")) / "rabbitmq";
    wanted_ = folder / (queue + ".stall");
    held_ = folder / (queue + ".stalled");
    channels_wanted_ = folder / (queue + ".channels-stall");
    stack::rabbitmqctl({"eval", puppet(queue, wanted_, held_, channels_wanted_)});
}

bool stalled_leader::is_waited_for_by(const std::string& words) const {
    const auto found = stack::rabbitmqctl(
        {"eval", "{messages, All} = process_info(whereis(list_to_existing_atom(\"%2F_" + queue_ +
                     "\")), messages), binary:match(term_to_binary(All), <<\"" + words +
                     "\">>) =/= nomatch."});
    return found.starts_with("true");
}

stalled_leader::~stalled_leader() {
    try {
        release();
    } catch (const std::exception& why) {
        std::fprintf(stderr, "%s\n", why.what());
    }
}

void stalled_leader::hold() {
    std::ofstream{wanted_};
    if (!eventually(patience, [&] { return fs::exists(held_); }))
        throw std::runtime_error("the queue's leader does not stand still");
}

void stalled_leader::release_but_first_messages() {
    std::ofstream{channels_wanted_};
    release_leader();
}

void stalled_leader::release() {
    fs::remove(channels_wanted_);
    release_leader();
}

void stalled_leader::release_leader() {
    fs::remove(wanted_);
    if (!eventually(patience, [&] { return !fs::exists(held_); }))
        throw std::runtime_error("the queue's leader does not go on");
}

}  // namespace flashsale::test
