#pragma once

namespace flashsale::stock {

// What sales say of their products, into the rows of those where it is another by now. The sales'
// rows are locked first: their changes wait for this, or this for them. Nothing follows, and
// nothing is returned.
#define SYNC_SALES_OF_POSTGRES(which_sales)                                                      \
    "WITH s AS ("                                                                                \
    "  SELECT id, starts_at, ends_at, payment_window_s, per_user_limit,"                         \
    "         nullif(state, 'open') AS state"                                                    \
    "  FROM sales WHERE " which_sales                                                            \
    " ORDER BY id FOR SHARE"                                                                     \
    "), locked AS ("                                                                             \
    "  SELECT p.id FROM products p JOIN s ON p.sale_id = s.id"                                   \
    "  WHERE (p.sale_starts_at, p.sale_ends_at, p.payment_window_s, p.sale_limit, p.sale_state)" \
    "    IS DISTINCT FROM (s.starts_at, s.ends_at, s.payment_window_s, s.per_user_limit,"        \
    "                      s.state)"                                                             \
    "  ORDER BY p.id FOR UPDATE OF p"                                                            \
    ") UPDATE products p SET sale_starts_at = s.starts_at, sale_ends_at = s.ends_at,"            \
    "    payment_window_s = s.payment_window_s, sale_limit = s.per_user_limit,"                  \
    "    sale_state = s.state, revision = p.revision + 1, version = p.version + 1"               \
    " FROM locked l, s WHERE p.id = l.id AND s.id = p.sale_id"

#define SYNC_SALE_OF_SQLITE                                                                    \
    "UPDATE products SET sale_starts_at = s.starts_at, sale_ends_at = s.ends_at,"              \
    "    payment_window_s = s.payment_window_s, sale_limit = s.per_user_limit,"                \
    "    sale_state = nullif(s.state, 'open'), revision = products.revision + 1,"              \
    "    version = products.version + 1"                                                       \
    " FROM sales s WHERE s.id = ?1 AND products.sale_id = s.id"                                \
    "   AND (sale_starts_at, sale_ends_at, products.payment_window_s, sale_limit, sale_state)" \
    "     IS NOT (s.starts_at, s.ends_at, s.payment_window_s, s.per_user_limit,"               \
    "             nullif(s.state, 'open'))"

}  // namespace flashsale::stock
