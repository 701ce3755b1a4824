import java.math.BigDecimal;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Reads the star over JDBC, and tries to write: CheckJdbc url user password. */
class CheckJdbc {
  public static void main(String[] given) throws SQLException {
    try (var connection = DriverManager.getConnection(given[0], given[1], given[2]);
        var statement = connection.createStatement()) {
      var row = statement.executeQuery("select sum(revenue) from gold.sales_items");
      row.next();
      var revenue = row.getBigDecimal(1);
      var keys = connection.getMetaData().getPrimaryKeys(null, "gold", "sales_items");
      int columns = 0;
      while (keys.next()) columns++;
      try {
        statement.executeUpdate("delete from gold.sales_items");
        throw new IllegalStateException("the reader could delete rows of gold");
      } catch (SQLException expected) {
        // The reader may not write.
      }
      if (!revenue.equals(new BigDecimal("817860.05")) || columns != 4) {
        throw new IllegalStateException("JDBC read " + revenue + " with a key of " + columns + " columns");
      }
      System.out.println("JDBC reads the star with its primary key, and cannot write");
    }
  }
}
