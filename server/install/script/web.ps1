# What this server answers. Redirects are not followed: they would take the key elsewhere, and a sign-in page is not an answer.
function Wait-For($Task, [Diagnostics.Stopwatch] $Watch) {
  $left = [int]($Patience * 1000 - $Watch.ElapsedMilliseconds)
  if ($left -le 0 -or -not $Task.Wait($left)) { throw "it did not answer within $Patience seconds" }
  return $Task.Result
}

function Get-Response($Request, [Diagnostics.Stopwatch] $Watch) {
  try { return Wait-For $Request.GetResponseAsync() $Watch }
  catch {
    $at = $_.Exception
    while ($null -ne $at) {
      # Answers such as 401 arrive as errors.
      if ($at -is [Net.WebException] -and $null -ne $at.Response) { return $at.Response }
      $deepest = $at
      $at = $at.InnerException
    }
    throw $deepest.Message
  }
}

# Status, type and text of an answer.
function Get-Answer([string] $Url, [string] $Key) {
  try { return Read-Answer $Url $Key }
  catch { throw "$BaseUrl cannot be reached: $($_.Exception.GetBaseException().Message)" }
}

function Read-Answer([string] $Url, [string] $Key) {
  $watch = [Diagnostics.Stopwatch]::StartNew()
  $request = [Net.WebRequest]::Create($Url)
  $request.AllowAutoRedirect = $false
  if ($Key -ne '') { $request.Headers.Add('X-NuGet-ApiKey', $Key) }
  try {
    $response = Get-Response $request $watch
    try {
      $stream = $response.GetResponseStream()
      $bytes = New-Object IO.MemoryStream
      $buffer = New-Object byte[] 65536
      do {
        $count = Wait-For $stream.ReadAsync($buffer, 0, $buffer.Length) $watch
        $bytes.Write($buffer, 0, $count)
      } while ($count -gt 0 -and $bytes.Length -lt 1048576)
      return @{ Status = [int]$response.StatusCode; Type = "$($response.ContentType)"; Text = [Text.Encoding]::UTF8.GetString($bytes.ToArray()) }
    } finally { $response.Close() }
  } finally { $request.Abort() }
}

# What the answer was instead of the expected one.
function Get-AnswerFault($Answer) {
  if ($Answer.Status -ge 300 -and $Answer.Status -lt 400) { return "it redirects (HTTP $($Answer.Status)), like a network that requires a sign-in first" }
  if ($Answer.Status -eq 200 -and $Answer.Type -match 'html') { return 'a web page came back instead, as in a network that requires a sign-in first' }
  if ($Answer.Status -eq 200) { return "the answer is not from a go-win-tools server ($($Answer.Type))" }
  return "it answers HTTP $($Answer.Status)"
}

# Through this user's proxy, like the browser; with TLS 1.2 where a session of 5.1 is limited to less. Both settings belong to the
# process, and are restored.
function Use-Web([scriptblock] $Questions) {
  $protocol = [Net.ServicePointManager]::SecurityProtocol
  $proxy = [Net.WebRequest]::DefaultWebProxy
  $credentials = $null
  if ($null -ne $proxy) { $credentials = $proxy.Credentials }
  try {
    if ([int]$protocol -ne 0) { [Net.ServicePointManager]::SecurityProtocol = $protocol -bor [Net.SecurityProtocolType]::Tls12 }
    if ($null -ne $proxy -and $null -eq $credentials) { $proxy.Credentials = [Net.CredentialCache]::DefaultCredentials }
    . $Questions
  } finally {
    [Net.ServicePointManager]::SecurityProtocol = $protocol
    if ($null -ne $proxy -and $null -eq $credentials) { $proxy.Credentials = $null }
  }
}

# Checks that the source answers a search as it will answer Chocolatey's; remembers one id that it offers.
function Assert-Feed([string] $Key) {
  $search = "$FeedUrl/Search()?searchTerm=%27%27&targetFramework=%27%27&includePrerelease=true&`$skip=0&`$top=1&semVerLevel=2.0.0"
  $answer = Get-Answer $search $Key
  $feed = $null
  try { $feed = ([xml]$answer.Text).feed }
  catch { $feed = $null }
  if ($answer.Status -ne 200 -or $null -eq $feed) { throw "$FeedUrl does not answer a search: $(Get-AnswerFault $answer)." }
  $id = "$(@($feed.entry)[0].title.'#text')"
  # An id from the feed must not become one of choco's options.
  if ($id -match '\A[A-Za-z0-9_][A-Za-z0-9_.-]*\z') { $Given.Offers = $id }
}

# git's first request.
function Assert-BucketAnswers([string] $Key) {
  $answer = Get-Answer "$BucketUrl/info/refs?service=git-upload-pack" $Key
  if ($answer.Status -ne 200 -or $answer.Type -notmatch 'git-upload-pack') { throw "$BucketUrl does not answer: $(Get-AnswerFault $answer)." }
}
