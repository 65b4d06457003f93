#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flashsale::bench {

/// What a server did with a request, as the client may conclude it.
enum class verdict {
    accepted,  ///< 2xx
    refused,   ///< a definite no, with its reason
    unknown,   ///< no answer, or one that leaves open what happened
};

struct outcome {
    verdict what = verdict::unknown;
    unsigned status = 0;         ///< of the last answer; 0 if none came
    std::string_view code = {};  ///< of the problem document, or a word for what went wrong
    std::string_view body = {};  ///< valid during the call
    bool replayed = false;
    /// Some try of this request may have been accepted unseen, whatever the last one said.
    bool maybe_accepted = false;
    unsigned tries = 1;
    std::chrono::nanoseconds latency{};  ///< first try's first byte to the last answer
};

/// What an answer means. `status` 0 stands for a connection that died or a deadline that passed.
verdict judge(unsigned status, std::string_view code);

/// The requests of a run, numbered by the load generator's user. One thread.
class traffic {
public:
    virtual ~traffic() = default;

    /// The number of the next request to send; nullopt when there is none left.
    virtual std::optional<std::size_t> next() = 0;
    /// Appends the whole request. Called again for a retry, and must give the same bytes.
    virtual void render(std::size_t number, std::string_view host, std::string& out) const = 0;
    /// Called once for each number that next() gave out.
    virtual void done(std::size_t number, const outcome& what) = 0;

    /// A line for a person who waits.
    virtual std::string progress() const { return {}; }
};

/// Appends a POST of `json` with an Idempotency-Key.
void append_post(std::string& out, std::string_view host, std::string_view path,
                 std::string_view idempotency_key, std::string_view json);

}  // namespace flashsale::bench
