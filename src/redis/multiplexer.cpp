#include "multiplexer.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

#include "metrics.hpp"

namespace flashsale::redis {

namespace {

constexpr std::size_t buffers_kept_max = 8;
constexpr std::size_t buffer_bytes_kept_max = 1'048'576;

void append_number(std::string& out, char prefix, std::size_t number) {
    char digits[24];
    digits[0] = prefix;
    char* end = std::to_chars(digits + 1, digits + sizeof digits - 2, number).ptr;
    *end++ = '\r';
    *end++ = '\n';
    out.append(digits, end);
}

void append_argument(std::string& out, std::string_view argument) {
    append_number(out, '$', argument.size());
    out.append(argument);
    out.append("\r\n", 2);
}

void append_decimal_argument(std::string& out, std::size_t number) {
    char digits[20];
    const char* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    append_argument(out, {digits, end});
}

}  // namespace

std::string& multiplexer::gathering() {
    if (!gathering_) {
        // Held by this list alone: written, and every script sent from it answered.
        const auto free = std::ranges::find_if(
            buffers_, [](const auto& buffer) { return buffer.use_count() == 1; });
        if (free != buffers_.end()) {
            gathering_ = *free;
            gathering_->clear();
        } else {
            gathering_ = std::make_shared<std::string>();
            if (buffers_.size() < buffers_kept_max) buffers_.push_back(gathering_);
        }
    }
    return *gathering_;
}

void multiplexer::add_command(std::span<const std::string_view> arguments, deadline expires,
                              callback<result> done) {
    assert(!full());
    std::string& out = gathering();
    append_number(out, '*', arguments.size());
    for (const std::string_view argument : arguments)
        append_argument(out, argument);
    entry added;
    added.done = std::move(done);
    added.expires = expires;
    pending_.push_back(std::move(added));
    ++unwritten_;
}

void multiplexer::add_script(const script& what, std::span<const std::string_view> keys,
                             std::span<const std::string_view> arguments, deadline expires,
                             callback<result> done) {
    assert(!full());
    std::string& out = gathering();
    entry added;
    added.arguments = 3 + keys.size() + arguments.size();
    append_number(out, '*', added.arguments);
    append_argument(out, "EVALSHA");
    append_argument(out, what.sha1());
    added.tail_at = out.size();
    append_decimal_argument(out, keys.size());
    for (const std::string_view key : keys)
        append_argument(out, key);
    for (const std::string_view argument : arguments)
        append_argument(out, argument);
    added.tail_size = out.size() - added.tail_at;
    added.done = std::move(done);
    added.expires = expires;
    added.resendable = &what;
    added.sent = gathering_;
    pending_.push_back(std::move(added));
    ++unwritten_;
}

void multiplexer::resend(entry head) {
    metrics::scripts_resent.add();
    std::string& out = gathering();
    append_number(out, '*', head.arguments);
    append_argument(out, "EVAL");
    append_argument(out, head.resendable->source());
    out.append(*head.sent, head.tail_at, head.tail_size);
    head.resendable = nullptr;  // once: a second NOSCRIPT is the script's own error
    head.sent.reset();
    pending_.push_back(std::move(head));
    ++unwritten_;
}

std::shared_ptr<const std::string> multiplexer::begin_write() {
    assert(wants_write());
    unwritten_ = 0;
    writing_ = std::move(gathering_);
    gathering_.reset();
    return writing_;
}

void multiplexer::end_write() {
    // A buffer that one burst made huge is not kept.
    if (writing_ && writing_->capacity() > buffer_bytes_kept_max) std::erase(buffers_, writing_);
    writing_.reset();
}

std::optional<completion> multiplexer::next() {
    while (fault_.empty()) {
        auto reply = reader_.next();
        if (!reply) return std::nullopt;
        if (pending_.size() <= unwritten_) {
            fault_ = "a reply to nothing: " + reply->content.text;
            return std::nullopt;
        }
        entry head = std::move(pending_.front());
        pending_.pop_front();
        if (abandoned_ > 0) {
            --abandoned_;
            continue;
        }
        if (!reply->is_error) return completion{std::move(head.done), std::move(reply->content)};
        if (head.resendable && reply->content.text.starts_with("NOSCRIPT")) {
            resend(std::move(head));
            continue;
        }
        return completion{
            std::move(head.done),
            std::unexpected(error{error::kind::refused, std::move(reply->content.text)})};
    }
    return std::nullopt;
}

std::optional<deadline> multiplexer::first_deadline() const {
    if (abandoned_ == pending_.size()) return std::nullopt;
    return pending_[abandoned_].expires;
}

std::optional<completion> multiplexer::abandon_expired(deadline now) {
    const auto first = first_deadline();
    if (!first || *first > now) return std::nullopt;
    entry& late = pending_[abandoned_++];
    return completion{std::move(late.done),
                      std::unexpected(error{error::kind::outcome_unknown, "no reply in time"})};
}

std::optional<completion> multiplexer::fail_next(std::string_view reason) {
    while (!pending_.empty()) {
        const auto what =
            pending_.size() > unwritten_ ? error::kind::outcome_unknown : error::kind::unavailable;
        entry head = std::move(pending_.front());
        pending_.pop_front();
        unwritten_ = std::min(unwritten_, pending_.size());
        if (abandoned_ > 0) {
            --abandoned_;
            continue;
        }
        return completion{std::move(head.done), std::unexpected(error{what, std::string(reason)})};
    }
    return std::nullopt;
}

void multiplexer::reset() {
    assert(pending_.empty());
    gathering_.reset();
    writing_.reset();
    unwritten_ = 0;
    abandoned_ = 0;
    reader_.reset();
    fault_.clear();
}

}  // namespace flashsale::redis
