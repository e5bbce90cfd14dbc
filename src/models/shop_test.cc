#include <gtest/gtest.h>

#include "models/model_fixture.h"

namespace leat::models {
namespace {

/// The models that `leat init --template shop` writes.
class ShopTest : public ModelsTest {
 protected:
  ShopTest() {
    for (const char* folder : {"models", "checks", "seeds"})
      std::filesystem::copy(std::string(LEAT_SHOP) + "/" + folder, folder_ + "/" + folder,
                            std::filesystem::copy_options::recursive);
    const std::string times = ", created_at TIMESTAMP, last_updated TIMESTAMP";
    Stream("totesys.department", "department_id INTEGER, department_name VARCHAR, location VARCHAR, manager VARCHAR",
           {"department_id"});
    Stream("totesys.staff",
           "staff_id INTEGER, first_name VARCHAR, last_name VARCHAR, department_id INTEGER, email_address VARCHAR",
           {"staff_id"});
    Stream("totesys.address",
           "address_id INTEGER, address_line_1 VARCHAR, address_line_2 VARCHAR, district VARCHAR, city VARCHAR, "
           "postal_code VARCHAR, "
           "country VARCHAR, phone VARCHAR",
           {"address_id"});
    Stream("totesys.counterparty", "counterparty_id INTEGER, counterparty_legal_name VARCHAR, legal_address_id INTEGER",
           {"counterparty_id"});
    Stream("totesys.currency", "currency_id INTEGER, currency_code VARCHAR", {"currency_id"});
    Stream("totesys.design", "design_id INTEGER, design_name VARCHAR, file_location VARCHAR, file_name VARCHAR",
           {"design_id"});
    Stream("totesys.payment_type", "payment_type_id INTEGER, payment_type_name VARCHAR", {"payment_type_id"});
    Stream("totesys.transaction",
           "transaction_id INTEGER, transaction_type VARCHAR, sales_order_id INTEGER, purchase_order_id INTEGER",
           {"transaction_id"});
    const std::string agreed =
        ", agreed_delivery_date VARCHAR, agreed_payment_date VARCHAR, agreed_delivery_location_id INTEGER" + times;
    Stream("totesys.sales_order",
           "sales_order_id INTEGER, design_id INTEGER, staff_id INTEGER, counterparty_id INTEGER, units_sold INTEGER, "
           "unit_price DECIMAL(10,2), "
           "currency_id INTEGER" +
               agreed,
           {"sales_order_id"});
    Stream("totesys.purchase_order",
           "purchase_order_id INTEGER, staff_id INTEGER, counterparty_id INTEGER, item_code VARCHAR, item_quantity "
           "INTEGER, "
           "item_unit_price DECIMAL(10,2), currency_id INTEGER" +
               agreed,
           {"purchase_order_id"});
    Stream("totesys.payment",
           "payment_id INTEGER, transaction_id INTEGER, counterparty_id INTEGER, payment_amount DECIMAL(10,2), "
           "currency_id INTEGER, "
           "payment_type_id INTEGER, paid BOOLEAN, payment_date VARCHAR" +
               times,
           {"payment_id"});
  }

  void CommitDimensions() {
    Commit("totesys.department", "(1, 'Sales', 'Leeds', 'Mo', 'u')");
    Commit("totesys.staff", "(1, 'Ann', 'Ash', 1, 'ann@shop.example', 'u')");
    Commit("totesys.address", "(1, '1 High St', NULL, NULL, 'Leeds', 'LS1', 'UK', '0113', 'u')");
    Commit("totesys.counterparty", "(1, 'Acme', 1, 'u')");
    Commit("totesys.currency", "(1, 'GBP', 'u'), (2, 'XQZ', 'u')");
    Commit("totesys.design", "(1, 'Bronze', '/usr', 'b.json', 'u')");
    Commit("totesys.payment_type", "(1, 'SALES_RECEIPT', 'u')");
    Commit("totesys.transaction", "(1, 'SALE', 1, NULL, 'u'), (2, 'PURCHASE', NULL, 1, 'u')");
  }
  void CommitFacts() {
    const std::string times = "TIMESTAMP '2023-11-03 14:20:52.186', TIMESTAMP '2023-11-03 14:20:52.186', 'u')";
    Commit("totesys.sales_order", "(1, 1, 1, 1, 10, 2.50, 1, '2023-11-08', '2023-11-06', 1, " + times +
                                      ", (2, 1, 1, 1, 5, 1.00, 1, '2023-11-08', 'soon', 1, " + times);
    Commit("totesys.purchase_order", "(1, 1, 1, 'ZDOI5EA', 4, 3.00, 1, '2023-11-09', '2023-11-07', 1, " + times);
    Commit("totesys.payment", "(1, 1, 1, 25.00, 1, 1, false, '2023-11-06', " + times);
  }
};

TEST_F(ShopTest, ItsModelsBuildAndStayTheSame) {
  CommitDimensions();
  CommitFacts();
  const std::string run = Run();
  EXPECT_EQ(last_.candidates.size(), 11u) << run;
  for (const Candidate& candidate : last_.candidates)
    EXPECT_EQ(candidate.outcome, Candidate::Outcome::kBuilt) << candidate.model->name << "\n" << run;
  EXPECT_EQ(Rows("mart.fact_sales_order",
                 "sales_record_id, sales_order_id, created_date, created_time, unit_price, agreed_payment_date, "
                 "agreed_delivery_date"),
            "1|1|2023-11-03|14:20:52.186|2.50|2023-11-06|2023-11-08\n");
  EXPECT_EQ(Rows("mart.fact_sales_order__rejects", "sales_order_id, _leat_reason"),
            "2|not_null(agreed_payment_date)\n");
  EXPECT_EQ(Rows("mart.dim_currency"), "1|GBP|Pound Sterling\n2|XQZ|XQZ\n");
  EXPECT_EQ(Rows("mart.dim_date", "min(date_id), max(date_id), count(*)"), "2023-11-03|2023-11-09|7\n");
  EXPECT_THAT(run, testing::HasSubstr("check currency_is_known_to_iso failed\n  warning LEAT0707"));
  EXPECT_THAT(run, testing::HasSubstr("check payment_has_transaction passed\n"));
  Run();
  for (const Candidate& candidate : last_.candidates)
    EXPECT_EQ(candidate.outcome, Candidate::Outcome::kUnchanged) << candidate.model->name;
}

}  // namespace
}  // namespace leat::models
