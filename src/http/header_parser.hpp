#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "refusal.hpp"

namespace flashsale::http {

namespace beast = boost::beast;
using beast::error_code;
using beast::http::field;
using beast::http::verb;

inline constexpr refusal two_lengths{
    .detail = "A body has one Content-Length or one Transfer-Encoding, and not both.",
    .field = "Transfer-Encoding"};

/// Lists that came in several lines, as one. Its room is made once, so that none of them moves.
using joined_lists = std::vector<std::pair<header, std::string>>;

/// The header of one request, whose fields are views into the input: Beast's parser, with what it
/// is too lenient about refused.
class header_parser final : public beast::http::basic_parser<true> {
public:
    /// `input` is no more than a header may have. What handlers may ask for is put into `found`.
    header_parser(std::string_view input, std::size_t uri_bytes_max, headers& found,
                  joined_lists& joined);

    /// Once put() has failed: what is wrong.
    refusal explain(const error_code& ec) const;

    verb method = verb::unknown;
    std::string_view target;
    std::string_view host;
    std::string_view content_type;
    std::string_view idempotency_key;
    std::string_view request_id;
    unsigned hosts = 0;
    unsigned content_types = 0;
    unsigned content_lengths = 0;
    unsigned transfer_encodings = 0;
    unsigned idempotency_keys = 0;
    unsigned request_ids = 0;
    bool http_1_0 = false;
    bool is_chunked = false;        ///< the last Transfer-Encoding said so
    bool has_other_coding = false;  ///< a Content-Encoding other than identity
    bool expects_continue = false;
    bool started = false;       ///< the request line is complete
    std::string_view repeated;  ///< a field that may come once, and came twice
    std::optional<refusal> refused;

private:
    void on_request_impl(verb which, beast::string_view, beast::string_view whole, int version,
                         error_code& ec) override;
    void on_field_impl(field known, beast::string_view name, beast::string_view value,
                       error_code& ec) override;
    void on_header_impl(error_code&) override {}
    void on_finish_impl(error_code&) override {}
    // The body is taken from the buffer as it stands: put() is not called again after the header.
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(beast::string_view, error_code&) override { return 0; }
    void on_response_impl(int, beast::string_view, int, error_code&) override {}
    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code&) override {
        return 0;
    }

    void keep_declared(field known, beast::string_view name, beast::string_view value);
    void keep(header which, std::string_view name, std::string_view value);
    bool is_folded(beast::string_view name, beast::string_view value) const;
    bool names_another_version() const;
    void refuse(error_code& ec, refusal why);

    std::string_view input_;
    std::size_t uri_bytes_max_;
    headers& found_;
    joined_lists& joined_;
};

}  // namespace flashsale::http
