#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flashsale::test {

/// One order that a buyer wants, from the first attempt to the last answer.
struct wish {
    enum class end {
        open,      ///< not answered for good when the crowd was told to go
        accepted,  ///< 201
        refused,   ///< any 4xx
        given_up,  ///< only ever 503s that took nothing
    };

    std::string key;
    std::int64_t user = 0;
    std::int64_t product = 0;
    std::int64_t quantity = 0;

    end ended = end::open;
    std::string refusal;           ///< the problem's code
    std::vector<std::string> ids;  ///< one for each 201; all equal, or P4 is broken
    bool unknown = false;          ///< some attempt: 503 outcome_unknown, or no answer
    bool vanished = false;         ///< a GET after the 201 said 404
    unsigned attempts = 0;
};

/// What was given while the sale ran, until it was answered 200.
struct gift {
    std::string key;
    std::int64_t product = 0;
    std::int64_t quantity = 0;
    bool done = false;
};

struct crowd_options {
    std::vector<std::uint16_t> ports;  ///< of the processes; a user changes after each failure
    std::vector<std::int64_t> users;   ///< one simulated user each
    std::vector<std::int64_t> products;
    std::int64_t restocked = 0;  ///< gets a few units again and again; 0: none does
    std::uint64_t seed = 1;
    std::chrono::milliseconds think{300};              ///< between two orders of a user, on average
    std::chrono::milliseconds patience{250};           ///< between two attempts, on average
    std::chrono::milliseconds answer_patience{6'000};  ///< then it counts as none
    double patient = 0.0;   ///< share of users who wait four times as long for an answer
    double twins = 0.05;    ///< share of orders sent twice at once, to two processes
    int twins_each = 1;     ///< how many more at once
    double hang_ups = 0.0;  ///< share of attempts whose client is gone before the answer
    double reads = 0.1;     ///< share of 201s that are read back at once
};

/// Several hundred users on one thread, each with a connection of its own: order, and on anything
/// but a final answer ask again, with the same key, somewhere else.
class crowd {
public:
    explicit crowd(crowd_options chosen);
    ~crowd();

    std::uint64_t accepted() const;  ///< 201s so far, repeats included
    std::uint64_t answered() const;  ///< answers of any kind
    std::uint64_t failed() const;    ///< 503s, and no answers

    /// No buyer begins anything new. Every wish that may have been granted is asked for until there
    /// is a final answer, but not longer than `most`.
    void finish(std::chrono::milliseconds most);
    /// After finish().
    const std::vector<std::shared_ptr<wish>>& wishes() const;
    const std::vector<std::shared_ptr<gift>>& gifts() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace flashsale::test
