#include "written_form.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace flashsale::events {

namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t quantity_max = (std::int64_t{1} << 53) - 1;

class scanner {
public:
    explicit scanner(std::string_view text) : rest_(text) {}

    bool literal(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    template <class Integer>
    bool integer(Integer& out, std::int64_t min, std::int64_t max) {
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (error != std::errc{} || number < min || number > max) return false;
        // As JSON has it: no leading zero, no minus before one.
        if (rest_.front() == '-' || (rest_.front() == '0' && end != rest_.data() + 1)) return false;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        out = static_cast<Integer>(number);
        return true;
    }

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

    /// A number, or one and a currency in quotes.
    bool price(event& out) {
        if (!literal("\"")) return integer(out.unit_price, 0, int64_max);
        std::string_view word;
        return text(word) && read_price(word, out.unit_price, out.currency);
    }

    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

}  // namespace

std::optional<event> take_written_form(std::string_view& text) {
    scanner from(text);
    event out;
    std::string_view id, key;
    const bool whole = from.literal(R"([2,")") && from.text(id) && from.literal(",") &&
                       from.integer(out.user_id, 1, int64_max) && from.literal(",") &&
                       from.integer(out.product_id, 1, int64_max) && from.literal(",") &&
                       from.integer(out.quantity, 1, quantity_max) && from.literal(R"(,")") &&
                       from.text(key) && from.literal(",") && from.price(out) &&
                       from.literal(",") && from.integer(out.generation, 0, int64_max) &&
                       from.literal(",") && from.integer(out.seq, 1, int64_max) &&
                       from.literal("]");
    if (!whole || key.empty() || key.size() > 255) return std::nullopt;
    const auto parsed_id = uuid::parse(id);
    if (!parsed_id) return std::nullopt;
    out.what = event::kind::order_accepted;
    out.id = *parsed_id;
    out.idempotency_key = key;
    out.shard = parsed_id->shard();
    out.created_at = parsed_id->time();
    text = from.rest();
    return out;
}

}  // namespace flashsale::events
