#include "name_filling.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/base/json_fields.hpp>
#include <flashsale/base/names.hpp>

#include <limits>
#include <vector>

namespace flashsale::user {

namespace {

constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();

constexpr postgres::statement read_names{
    "read_names", "SELECT id, username FROM users WHERE id > $1 ORDER BY id LIMIT $2"};
constexpr postgres::statement write_forms{
    "write_forms",
    "UPDATE users u SET compared_name = first.form"
    " FROM (SELECT form, min(id) AS id FROM unnest($1::bigint[], $2::text[]) AS read (id, form)"
    "       GROUP BY form) AS first"
    " WHERE u.id = first.id"
    "   AND NOT EXISTS (SELECT FROM users other WHERE other.compared_name = first.form)"
    " RETURNING u.id"};
constexpr postgres::statement find_holder{
    "find_holder", "SELECT id, username FROM users WHERE compared_name = $1"};
constexpr postgres::statement read_left_out{
    "read_left_out",
    "SELECT id, username FROM users WHERE compared_name IS NULL AND id > $1 ORDER BY id LIMIT $2"};

constexpr sqlite::statement read_names_in_file{
    "SELECT id, username FROM users WHERE id > ?1 ORDER BY id LIMIT ?2"};
constexpr sqlite::statement write_form_in_file{
    "UPDATE users SET compared_name = ?2 WHERE id = ?1"
    " AND NOT EXISTS (SELECT 1 FROM users WHERE compared_name = ?2)"};
constexpr sqlite::statement find_holder_in_file{
    "SELECT id, username FROM users WHERE compared_name = ?1"};
constexpr sqlite::statement read_left_out_in_file{
    "SELECT id, username FROM users WHERE compared_name IS NULL AND id > ?1 ORDER BY id LIMIT ?2"};

struct named_user {
    std::int64_t id = 0;
    std::string name;
};

std::string quoted(const std::string& name) {
    std::string out;
    append_json_string(out, name);
    return out;
}

class left_out_users {
public:
    /// Whether it is worth to look up which user has the form.
    bool shows_more() const { return count_ < shown_max; }
    void add(const named_user& late, const named_user& holder) {
        if (shows_more())
            spdlog::warn(
                "user {} {} has the name of user {} {}, but for its form: both keep theirs",
                late.id, quoted(late.name), holder.id, quoted(holder.name));
        ++count_;
    }
    void count() { ++count_; }
    ~left_out_users() {
        if (count_ > 0)
            spdlog::warn(
                "users with a name that an earlier one has: {}; compared_name is null in "
                "their rows, and no other user can have such a name now",
                count_);
    }

private:
    static constexpr std::size_t shown_max = 100;
    std::size_t count_ = 0;
};

using names_page = std::vector<named_user>;

std::expected<names_page, postgres::error> read_page(postgres::session& in,
                                                     const postgres::statement& what,
                                                     std::int64_t after) {
    const auto found =
        in.execute(what, postgres::parameters().integer(after).integer(filled_rows_max));
    if (!found) return std::unexpected(found.error());
    names_page out;
    for (std::size_t row = 0; row < found->size(); ++row)
        out.push_back({found->integer(row, 0), std::string(found->text(row, 1))});
    return out;
}

std::expected<names_page, sqlite::error> read_page(sqlite::database& in,
                                                   const sqlite::statement& what,
                                                   std::int64_t after) {
    auto rows = in.prepare(what);
    rows.integer(after).integer(filled_rows_max);
    names_page out;
    while (true) {
        const auto more = rows.step();
        if (!more) return std::unexpected(more.error());
        if (!*more) return out;
        out.push_back({rows.integer_at(0), std::string(rows.text_at(1))});
    }
}

std::expected<void, postgres::error> write_page(postgres::session& in, const names_page& page) {
    std::vector<std::int64_t> ids;
    std::vector<std::string> forms;
    for (const named_user& one : page) {
        ids.push_back(one.id);
        forms.push_back(compared_form(one.name));
    }
    const auto done = in.execute(write_forms, postgres::parameters().integers(ids).texts(forms));
    if (!done) return std::unexpected(done.error());
    return {};
}

std::expected<void, sqlite::error> write_page(sqlite::database& in, const names_page& page) {
    for (const named_user& one : page) {
        auto row = in.prepare(write_form_in_file);
        const auto done = row.integer(one.id).text(compared_form(one.name)).run();
        if (!done) return std::unexpected(done.error());
    }
    return {};
}

std::expected<named_user, postgres::error> holder_of(postgres::session& in,
                                                     const std::string& form) {
    const auto found = in.execute(find_holder, postgres::parameters().text(form));
    if (!found) return std::unexpected(found.error());
    if (found->empty()) return named_user{};
    return named_user{found->integer(0, 0), std::string(found->text(0, 1))};
}

std::expected<named_user, sqlite::error> holder_of(sqlite::database& in, const std::string& form) {
    auto row = in.prepare(find_holder_in_file);
    const auto found = row.text(form).step();
    if (!found) return std::unexpected(found.error());
    if (!*found) return named_user{};
    return named_user{row.integer_at(0), std::string(row.text_at(1))};
}

template <class Error, class Database, class Statement>
std::expected<void, Error> fill(Database& in, const Statement& all, const Statement& left_out) {
    const auto each_page = [&](const Statement& what,
                               const auto& use) -> std::expected<void, Error> {
        for (std::int64_t after = before_all;;) {
            const auto page = read_page(in, what, after);
            if (!page) return std::unexpected(page.error());
            if (page->empty()) return {};
            if (auto done = use(*page); !done) return done;
            after = page->back().id;
        }
    };
    auto filled = each_page(all, [&](const names_page& page) { return write_page(in, page); });
    if (!filled) return filled;
    left_out_users seen;
    return each_page(left_out, [&](const names_page& page) -> std::expected<void, Error> {
        for (const named_user& one : page) {
            if (!seen.shows_more()) {
                seen.count();
                continue;
            }
            const auto holder = holder_of(in, compared_form(one.name));
            if (!holder) return std::unexpected(holder.error());
            seen.add(one, *holder);
        }
        return {};
    });
}

}  // namespace

std::expected<void, postgres::error> fill_compared_names(postgres::session& in) {
    return fill<postgres::error>(in, read_names, read_left_out);
}

std::expected<void, sqlite::error> fill_compared_names(sqlite::database& in) {
    return fill<sqlite::error>(in, read_names_in_file, read_left_out_in_file);
}

}  // namespace flashsale::user
