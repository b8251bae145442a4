using System.Globalization;
using System.Text;

namespace LightTts.Samples.Server.Metrics;

/// <summary>Prometheus' text format, version 0.0.4.</summary>
internal sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    public void Header(string name, string help, string type) => _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
        .Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    public void Value(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0)
            _text.Append('{').Append(labels).Append('}');
        _text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>A counter by its name without "_total", as prometheus_client names them.</summary>
    public void Counter(string name, string help, double value)
    {
        Header(name + "_total", help, "counter");
        Value(name + "_total", "", value);
    }

    public void Gauge(string name, string help, double value)
    {
        Header(name, help, "gauge");
        Value(name, "", value);
    }

    public void Histogram(string name, string labels, PrometheusHistogram histogram)
    {
        var prefix = labels.Length == 0 ? "" : labels + ",";
        long sum = 0;
        for (var i = 0; i < histogram.Bounds.Count; i++)
        {
            sum += histogram.Counts[i];
            Value(name + "_bucket", $"{prefix}le=\"{histogram.Bounds[i].ToString("R", CultureInfo.InvariantCulture)}\"", sum);
        }
        Value(name + "_bucket", prefix + "le=\"+Inf\"", histogram.Count);
        Value(name + "_sum", labels, histogram.Sum);
        Value(name + "_count", labels, histogram.Count);
    }

    public override string ToString() => _text.ToString();
}
