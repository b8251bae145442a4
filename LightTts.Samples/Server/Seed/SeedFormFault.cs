namespace LightTts.Samples.Server.Seed;

/// <summary>What is wrong with one field.</summary>
internal sealed record SeedFormFault(string Type, string Field, string Message, string? Input)
{
    private const int MaxShown = 64;

    public static SeedFormFault Missing(string field) => new("missing", field, "Field required", null);

    public static SeedFormFault NotBool(string field, string input) =>
        new("bool_parsing", field, "Input should be a valid boolean, unable to interpret input", input);

    public static SeedFormFault NotFloat(string field, string input) =>
        new("float_parsing", field, "Input should be a valid number, unable to parse string as a number", input);

    public static SeedFormFault NotFile(string field, string input) =>
        new("value_error", field, "Value error, Expected UploadFile, received: <class 'str'>", input);

    public string Json()
    {
        var input = Input is null ? "null" : SeedAnswers.Quote(Input.Length > MaxShown ? Input[..MaxShown] : Input);
        return $"{{\"type\":\"{Type}\",\"loc\":[\"body\",\"{Field}\"],\"msg\":{SeedAnswers.Quote(Message)},\"input\":{input}}}";
    }
}
