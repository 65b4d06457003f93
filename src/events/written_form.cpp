#include "written_form.hpp"

#include <algorithm>
#include <charconv>

#include "event_fields.hpp"

namespace flashsale::events {

namespace {

class scanner {
public:
    explicit scanner(std::string_view text) : rest_(text) {}

    bool literal(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    template <std::integral Integer>
    bool value(const field& of, Integer& out) {
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (error != std::errc{} || number < of.min || number > of.max) return false;
        // As JSON has it: no leading zero, no minus before one.
        if (rest_.front() == '-' || (rest_.front() == '0' && end != rest_.data() + 1)) return false;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        out = static_cast<Integer>(number);
        return true;
    }

    bool value(const field&, uuid& out) {
        std::string_view word;
        if (!literal("\"") || !text(word)) return false;
        const auto id = uuid::parse(word);
        if (id) out = *id;
        return id.has_value();
    }

    bool value(const field& of, std::string& out) {
        std::string_view word;
        if (!literal("\"") || !text(word)) return false;
        if (std::ssize(word) < of.min || std::ssize(word) > of.max) return false;
        out = word;
        return true;
    }

    /// A number, or a price of append_price() in quotes.
    template <class Amount, class Currency, class Window>
    bool value(const field& of, price_field<Amount, Currency, Window>& out) {
        if (!literal("\"")) return value(of, out.amount);
        std::string_view word;
        return text(word) && read_price(word, out.amount, out.currency, out.payment_window_s);
    }

    /// Times are not written in short.
    bool value(const field&, timestamp&) { return false; }

    std::string_view rest() const { return rest_; }

private:
    /// Up to the quote, which is taken too.
    bool text(std::string_view& out) {
        const auto end = std::ranges::find_if(rest_, [](char each) {
            return each == '"' || each == '\\' || each < 0x20 || each == 0x7f;
        });
        if (end == rest_.end() || *end != '"') return false;
        out = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(out.size() + 1);
        return true;
    }

    std::string_view rest_;
};

}  // namespace

std::optional<order_accepted> take_written_form(std::string_view& text) {
    scanner from(text);
    order_accepted out;
    const bool whole =
        from.literal(opening_in_short) &&
        for_each_field(out,
                       [&from](const field& of, auto& value) {
                           return !of.in_short || (from.literal(",") && from.value(of, value));
                       }) &&
        from.literal("]");
    if (!whole) return std::nullopt;
    out.shard = out.id.shard();
    out.created_at = out.id.time();
    text = from.rest();
    return out;
}

}  // namespace flashsale::events
