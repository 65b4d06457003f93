#include <flashsale/order/module.hpp>

namespace flashsale::embedded {
extern const std::string_view order_0001;
extern const std::string_view order_0002;
extern const std::string_view order_0003;
extern const std::string_view order_0004;
extern const std::string_view order_0005;
extern const std::string_view order_0006;
extern const std::string_view order_0007;
extern const std::string_view order_0008;
extern const std::string_view order_0009;
extern const std::string_view order_sqlite_0001;
extern const std::string_view order_sqlite_0002;
extern const std::string_view order_sqlite_0003;
extern const std::string_view order_sqlite_0004;
extern const std::string_view order_sqlite_0005;
extern const std::string_view order_sqlite_0006;
extern const std::string_view order_sqlite_0007;
extern const std::string_view order_sqlite_0008;
}  // namespace flashsale::embedded

namespace flashsale::order {

std::span<const migration> postgres_migrations() {
    static const migration all[] = {{1, "0001_orders", embedded::order_0001},
                                    {2, "0002_recovery", embedded::order_0002},
                                    {3, "0003_late", embedded::order_0003},
                                    {4, "0004_currency", embedded::order_0004},
                                    {5, "0005_recorded", embedded::order_0005},
                                    {6, "0006_lines", embedded::order_0006},
                                    {7, "0007_epoch", embedded::order_0007},
                                    {8, "0008_life", embedded::order_0008},
                                    {9, "0009_sale_cancellations", embedded::order_0009}};
    return all;
}

std::span<const migration> sqlite_migrations() {
    static const migration all[] = {{1, "0001_orders", embedded::order_sqlite_0001},
                                    {2, "0002_recovery", embedded::order_sqlite_0002},
                                    {3, "0003_currency", embedded::order_sqlite_0003},
                                    {4, "0004_recorded", embedded::order_sqlite_0004},
                                    {5, "0005_lines", embedded::order_sqlite_0005},
                                    {6, "0006_epoch", embedded::order_sqlite_0006},
                                    {7, "0007_life", embedded::order_sqlite_0007},
                                    {8, "0008_sale_cancellations", embedded::order_sqlite_0008}};
    return all;
}

}  // namespace flashsale::order
