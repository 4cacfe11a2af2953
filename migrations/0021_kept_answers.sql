-- Answers that are kept for their buyers get status, content type and body around what was the whole of them. As text,
-- because they may hold characters that jsonb does not take; `simulated` was always the last member.
UPDATE calls SET answer = '{"status":200,"contentType":"application/json","headers":{},"body":{"type":"json","json":'
    || CASE WHEN right(answer, 18) = ',"simulated":true}' THEN left(answer, -18) || '}' ELSE answer END
    || '},"media":[],"isSimulated":' || (right(answer, 18) = ',"simulated":true}')::text || '}'
  WHERE starts_with(answer, '{"response":');

-- Records of calls whose settlement is not known yet are still to be written into the usage log, in its new form.
UPDATE calls SET record = CASE
    WHEN pg_input_is_valid(record, 'jsonb') THEN (record::jsonb || jsonb_build_object(
      'timeoutSeconds', 60,
      'record', record::jsonb->'record' || jsonb_build_object(
        'attempts', 1,
        'firstOutputMs', record::jsonb#>'{record,firstTokenMs}',
        'evidence', jsonb_build_object(
          'model', record::jsonb#>'{record,model}',
          'provider', record::jsonb#>'{record,provider}',
          'generationId', record::jsonb#>'{record,generationId}',
          'inputTokens', record::jsonb#>'{record,inputTokens}',
          'outputTokens', record::jsonb#>'{record,outputTokens}',
          'finishReason', record::jsonb#>'{record,finishReason}'))))::text
    ELSE '{"timeoutSeconds":60,"record":{"attempts":1,"firstOutputMs":null,"evidence":{},'
      || substr(record, length('{"record":{') + 1)
    END
  WHERE state IN ('settling', 'pending') AND starts_with(record, '{"record":{') AND strpos(record, '"timeoutSeconds":') = 0;
