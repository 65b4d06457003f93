#pragma once

#include <flashsale/http.hpp>

#include "chunked_body.hpp"
#include "header_parser.hpp"
#include "refusal.hpp"

namespace flashsale::http {

struct parsed_request {
    request incoming;                ///< views into the input
    std::optional<refusal> refused;  ///< then only name and headers in `incoming` are to be used
    std::size_t bytes = 0;           ///< how much of the input is done with
    bool keep_alive = false;         ///< may another request follow on this connection?
    bool head_only = false;
    bool http_1_0 = false;
};

/// Bytes in, requests out; no I/O.
class request_reader {
public:
    /// `bounds` must outlive this.
    explicit request_reader(const limits& bounds) : bounds_(&bounds) {}
    explicit request_reader(limits&&) = delete;

    /// `input` is all that has arrived from the first byte of a request on. True: `found` is a
    /// request or a refusal, and `found.bytes` belong to it; its views are valid until the next
    /// call. False: more bytes are needed, and `found.bytes` of these (blank lines) can be
    /// forgotten.
    bool read(std::string_view input, parsed_request& found);

    /// The client waits for `100 Continue` before it sends the body that read() misses.
    bool continue_wanted() const { return continue_wanted_; }
    void continue_sent() { continue_wanted_ = false; }

    /// Between requests: gives back what the last one needed.
    void release_memory();

private:
    /// A body that comes in chunks, from its complete header on.
    struct chunks {
        std::size_t header_bytes;
        chunked_body body;
        bool delivered = false;
    };

    std::expected<bool, refusal> take_body(std::string_view input, std::size_t header_bytes,
                                           std::optional<std::uint64_t> length,
                                           parsed_request& found);
    void refuse(parsed_request& found, std::size_t bytes, refusal why);

    const limits* bounds_;
    std::size_t bytes_wanted_ = 0;  ///< what the request takes in all, once its header says so
    bool continue_wanted_ = false;
    std::unique_ptr<chunks> chunks_;
    std::string unescaped_key_;
    joined_lists joined_;
    std::string accepted_host_;
};

}  // namespace flashsale::http
