SELECT
  transaction_id, order_id, payment_method, card_type, amount, currency, status_original, status,
  gateway_response_code, transaction_timestamp, risk_score, ip_address, device_fingerprint,
  CASE
    WHEN risk_score IS NULL THEN NULL
    WHEN risk_score >= 80 THEN 'CRITICAL'
    WHEN risk_score >= 60 THEN 'HIGH'
    WHEN risk_score >= 40 THEN 'MEDIUM'
    WHEN risk_score >= 20 THEN 'LOW'
    ELSE 'VERY_LOW'
  END AS risk_level,
  is_high_risk, is_off_hours, is_high_amount, is_international,
  signals AS fraud_signal_count,
  CASE WHEN signals >= 3 THEN 'CRITICAL' WHEN signals = 2 THEN 'HIGH' WHEN signals = 1 THEN 'MEDIUM' ELSE 'LOW' END
    AS fraud_risk_label,
  transaction_hour,
  on_date AS transaction_date,
  day_of_week(on_date) AS transaction_day_of_week,
  day_name(on_date) AS day_name,
  _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread,
  FALSE AS _overflow
FROM (
  SELECT
    *,
    CAST(CASE WHEN is_high_risk THEN 1 ELSE 0 END + CASE WHEN is_off_hours THEN 1 ELSE 0 END
      + CASE WHEN is_high_amount THEN 1 ELSE 0 END + CASE WHEN is_international THEN 1 ELSE 0 END AS INTEGER) AS signals
  FROM (
    SELECT
      *,
      CASE
        WHEN status_original IN ('success', 'succeeded', 'completed', 'captured', 'approved') THEN 'SUCCESS'
        WHEN status_original IN ('failed', 'failure', 'declined', 'denied', 'rejected') THEN 'FAILED'
        WHEN status_original IN ('pending', 'processing', 'initiated') THEN 'PENDING'
        WHEN status_original IN ('refunded', 'reversed', 'voided') THEN 'REFUNDED'
        ELSE upper(status_original)
      END AS status,
      coalesce(risk_score >= 70, FALSE) AS is_high_risk,
      coalesce(transaction_hour >= 23 OR transaction_hour <= 5, FALSE) AS is_off_hours,
      coalesce(amount > 2000, FALSE) AS is_high_amount
    FROM (
      SELECT
        transaction_id, order_id,
        lower(payment_method) AS payment_method,
        lower(card_type) AS card_type,
        amount,
        upper(coalesce(currency, 'USD')) AS currency,
        lower(status) AS status_original,
        gateway_response_code,
        coalesce(is_international, FALSE) AS is_international,
        transaction_timestamp,
        utc_hour(transaction_timestamp) AS transaction_hour,
        utc_date(transaction_timestamp) AS on_date,
        risk_score, ip_address, device_fingerprint,
        _source_file, _source_row, _source_line, _batch_id, _position, _loaded_as_of, _unread
      FROM parsed.payments
    ) cleaned
  ) labelled
) derived
